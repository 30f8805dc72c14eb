#include "fastformer/serve/access_log.h"

#include <sys/stat.h>

#include <array>
#include <ctime>
#include <iostream>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "fastformer/base/format.h"
#include "fastformer/base/printable.h"
#include "fastformer/base/request_body.h"

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

AccessLog::AccessLog(const std::filesystem::path& file) {
  if (file.empty()) return;
  if (file == "-") {
    out_ = &std::cerr;
    return;
  }
  const auto mask = ::umask(S_IRWXG | S_IRWXO);
  file_.open(file, std::ios::app);
  ::umask(mask);
  if (!file_) {
    throw std::invalid_argument(base::excerpt(file.string(), 400) +
                                ": the access log cannot be written; check the path");
  }
  out_ = &file_;
}

void AccessLog::write(const LogEntry& entry) {
  if (out_ == nullptr) return;
  constexpr std::size_t kLongestPath = 200;
  const std::chrono::duration<double, std::milli> time = entry.time;
  *out_ << base::json_text({{"time", time_now()},
                            {"remote", std::string(entry.remote)},
                            {"method", base::excerpt(entry.method)},
                            {"path", base::excerpt(entry.path, kLongestPath)},
                            {"status", entry.status},
                            {"bytes_in", entry.bytes_in},
                            {"bytes_out", entry.bytes_out},
                            {"milliseconds", time.count()},
                            {"inputs", entry.inputs}})
        << std::endl;
}

}  // namespace fastformer::serve
