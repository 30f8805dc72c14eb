#pragma once

#include <new>
#include <string>
#include <utility>

namespace fastformer::base {

/// A std::bad_alloc that says what was too large: "there is not enough memory for a batch of 3
/// texts and 90000000 tokens (a tensor of 92160 MB)".
class OutOfMemory final : public std::bad_alloc {
 public:
  explicit OutOfMemory(std::string subject)
      : subject_(std::move(subject)), message_("there is not enough memory for " + subject_) {}

  const std::string& subject() const { return subject_; }
  const char* what() const noexcept override { return message_.c_str(); }

 private:
  std::string subject_, message_;
};

/// Runs `work`. Where memory runs out inside it, throws OutOfMemory for the text `subject()`, with
/// what was named inside in brackets.
///
///   naming_memory([&] { return "the " + std::to_string(count) + " rows of " + file; }, [&] { ...
///   });
template <class Subject, class Work>
decltype(auto) naming_memory(const Subject& subject, Work&& work) {
  try {
    return std::forward<Work>(work)();
  } catch (const OutOfMemory& error) {
    throw OutOfMemory(subject() + " (" + error.subject() + ")");
  } catch (const std::bad_alloc&) {
    throw OutOfMemory(subject());
  }
}

}  // namespace fastformer::base
