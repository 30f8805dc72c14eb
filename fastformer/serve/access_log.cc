#include "fastformer/serve/access_log.h"

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <ctime>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>

#include "fastformer/base/format.h"
#include "fastformer/base/json_text.h"
#include "fastformer/base/printable.h"
#include "fastformer/serve/private_file.h"

namespace fastformer::serve {
namespace {

std::string time_now() {
  const auto now = std::chrono::system_clock::now();
  const auto seconds = std::chrono::system_clock::to_time_t(now);
  const auto part =
      std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count() % 1000;
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &utc);
  return base::format("%s.%03dZ", text.data(), static_cast<int>(part));
}

}  // namespace

AccessLog::AccessLog(std::filesystem::path file) : path_(std::move(file)) { reopen(); }

void AccessLog::reopen() {
  if (path_.empty()) return;
  if (path_ == "-") {
    to_standard_error_ = true;
    return;
  }
  const auto mask = ::umask(S_IRWXG | S_IRWXO);
  std::ofstream file(path_, std::ios::app);
  ::umask(mask);
  if (!file) {
    throw std::invalid_argument(base::excerpt(path_.string(), 400) +
                                ": the access log cannot be written; check the path");
  }
  if (std::filesystem::is_regular_file(path_)) check_private(path_, "the access log");
  file_ = std::move(file);
}

void AccessLog::write(const LogEntry& entry) {
  if (path_.empty()) return;
  constexpr std::size_t kLongestPath = 200;
  const std::chrono::duration<double, std::milli> time = entry.time;
  const auto line = base::json_text({{"time", time_now()},
                                     {"remote", std::string(entry.remote)},
                                     {"method", base::excerpt(entry.method)},
                                     {"path", base::excerpt(entry.path, kLongestPath)},
                                     {"status", entry.status},
                                     {"bytes_in", entry.bytes_in},
                                     {"bytes_out", entry.bytes_out},
                                     {"milliseconds", time.count()},
                                     {"inputs", entry.inputs}});
  if (to_standard_error_) {
    ::dprintf(STDERR_FILENO, "%s\n", line.c_str());
    return;
  }
  file_.clear();  // after a full disk
  file_ << line + "\n" << std::flush;
}

}  // namespace fastformer::serve
