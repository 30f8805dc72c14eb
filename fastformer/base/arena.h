#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <unordered_map>

namespace fastformer::base {

/// Memory for large blocks that are allocated and freed in a repeating pattern, such as the tensors
/// of training steps. The arena keeps released memory, merges adjacent free ranges and reuses the
/// range at the lowest address, so that after the first steps it requests no more memory from the
/// system. It uses 2 MiB pages if the system supports them.
///
///   Arena arena(std::size_t{1} << 40);
///   void* block = arena.allocate(size);  // nullptr: no room, allocate elsewhere
///   arena.release(block);
///
/// Thread-safe. The destructor returns the memory to the system.
class Arena {
 public:
  /// Reserves `capacity` bytes of address space, which uses no memory yet. If the system refuses
  /// the reservation, every allocate() returns nullptr.
  explicit Arena(std::size_t capacity);
  ~Arena();
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  /// Returns `size` > 0 bytes aligned to 4 KiB, or nullptr if no free range is large enough.
  void* allocate(std::size_t size);
  /// Frees a block that allocate() returned.
  void release(void* block);
  /// Whether the block belongs to this arena.
  bool contains(const void* block) const;

  /// End of the highest block allocated so far, in bytes: an upper bound of the memory held.
  std::size_t reached() const;

 private:
  char* begin_ = nullptr;
  std::size_t capacity_ = 0, reached_ = 0;
  std::map<std::size_t, std::size_t> free_;  // begin and end of each free range, never adjacent
  std::unordered_map<std::size_t, std::size_t> used_;  // begin and end of each block
  mutable std::mutex mutex_;
};

}  // namespace fastformer::base
