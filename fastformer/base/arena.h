#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <unordered_map>

namespace fastformer::base {

/// Memory for large blocks that come and go in ever the same pattern, as the tensors of a training
/// step do: what is released is kept, joined with its free neighbours and given out again, the
/// lowest address first, so that after the first steps no page comes from the system. Pages of 2
/// MiB where the system has them.
///
///   Arena arena(std::size_t{1} << 40);
///   void* block = arena.allocate(size);  // nullptr: no room, ask elsewhere
///   arena.release(block);
///
/// Any thread may call. The memory goes back to the system when the arena ends.
class Arena {
 public:
  /// Reserves `capacity` bytes of addresses, which cost no memory. Where the system refuses them
  /// the arena has no room at all.
  explicit Arena(std::size_t capacity);
  ~Arena();
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  /// `size` > 0 bytes that begin at a page, or nullptr.
  void* allocate(std::size_t size);
  /// A block that `allocate` gave.
  void release(void* block);
  /// Whether the block is one of this arena.
  bool contains(const void* block) const;

  /// Bytes up to the end of the highest block there ever was: at most so many hold memory.
  std::size_t reached() const;

 private:
  char* begin_ = nullptr;
  std::size_t capacity_ = 0, reached_ = 0;
  std::map<std::size_t, std::size_t> free_;            // begin and end of each range, none adjacent
  std::unordered_map<std::size_t, std::size_t> used_;  // begin and end of each block
  mutable std::mutex mutex_;
};

}  // namespace fastformer::base
