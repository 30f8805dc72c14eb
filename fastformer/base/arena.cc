#include "fastformer/base/arena.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <iterator>

namespace fastformer::base {
namespace {

constexpr std::size_t kPage = 4096, kLargePage = 2 << 20;

std::size_t round_up(std::size_t size, std::size_t unit) { return (size + unit - 1) / unit * unit; }

}  // namespace

Arena::Arena(std::size_t capacity) {
  const auto size = round_up(capacity, kLargePage);
  void* mapped = mmap(nullptr, size, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapped == MAP_FAILED) return;
  begin_ = static_cast<char*>(mapped);
  capacity_ = size;
  free_.emplace(0, size);
#if defined(MADV_HUGEPAGE)
  madvise(begin_, size, MADV_HUGEPAGE);  // a wish; without it the pages are small
#endif
}

Arena::~Arena() {
  if (begin_ != nullptr) munmap(begin_, capacity_);
}

void* Arena::allocate(std::size_t size) {
  const std::lock_guard lock(mutex_);
  if (size > capacity_) return nullptr;
  const auto rounded = round_up(size, kPage);
  const auto found = std::find_if(free_.begin(), free_.end(), [&](const auto& range) {
    return range.second - range.first >= rounded;
  });
  if (found == free_.end()) return nullptr;
  const auto [first, last] = *found;
  free_.erase(found);
  const auto end = first + rounded;
  if (end < last) free_.emplace(end, last);
  used_.emplace(first, end);
  reached_ = std::max(reached_, end);
  return begin_ + first;
}

void Arena::release(void* block) {
  const std::lock_guard lock(mutex_);
  const auto found = used_.find(static_cast<std::size_t>(static_cast<char*>(block) - begin_));
  auto [first, last] = *found;
  used_.erase(found);
  auto next = free_.lower_bound(first);
  if (next != free_.end() && next->first == last) {
    last = next->second;
    next = free_.erase(next);
  }
  if (next != free_.begin() && std::prev(next)->second == first) {
    std::prev(next)->second = last;
  } else {
    free_.emplace_hint(next, first, last);
  }
}

bool Arena::contains(const void* block) const {
  const auto address = reinterpret_cast<std::uintptr_t>(block);
  const auto begin = reinterpret_cast<std::uintptr_t>(begin_);
  return begin <= address && address < begin + capacity_;
}

std::size_t Arena::reached() const {
  const std::lock_guard lock(mutex_);
  return reached_;
}

}  // namespace fastformer::base
