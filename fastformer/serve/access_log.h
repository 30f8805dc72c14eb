#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace fastformer::serve {

/// A request that was answered, without its content.
struct LogEntry {
  std::string_view remote, method, path;
  unsigned status = 0;
  std::uint64_t bytes_in = 0, bytes_out = 0;  ///< of the bodies
  std::chrono::steady_clock::duration time{};
  std::int64_t inputs = 0;  ///< texts or users
};

/// One line of JSON per request: {"time", "remote", "method", "path", "status", "bytes_in",
/// "bytes_out", "milliseconds", "inputs"}. Texts and tokens are never written.
class AccessLog {
 public:
  /// Appends to a file, which only its owner may read; "-": standard error; empty: no log. Throws
  /// std::invalid_argument for a file that cannot be written or that others may read.
  explicit AccessLog(std::filesystem::path file);

  /// Opens the file again, after it has been renamed. Throws as the constructor does.
  void reopen();
  void write(const LogEntry& entry);

 private:
  std::filesystem::path path_;
  std::ofstream file_;
  bool to_standard_error_ = false;
};

}  // namespace fastformer::serve
