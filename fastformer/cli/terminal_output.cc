#include "fastformer/cli/terminal_output.h"

#include <unistd.h>

#include <ctime>
#include <iostream>
#include <string_view>

#include "fastformer/base/atomic_file.h"
#include "fastformer/base/format.h"
#include "fastformer/base/printable.h"

namespace fastformer::cli {

PrintableBuffer::int_type PrintableBuffer::overflow(int_type byte) {
  if (traits_type::eq_int_type(byte, traits_type::eof())) return traits_type::not_eof(byte);
  const char c = traits_type::to_char_type(byte);
  waiting_ += c;
  return c != '\n' || drain() ? byte : traits_type::eof();
}

int PrintableBuffer::sync() { return drain() && target_.pubsync() == 0 ? 0 : -1; }

bool PrintableBuffer::drain() {
  std::string text;
  for (std::string_view rest = waiting_; !rest.empty();) {
    const auto end = rest.find_first_of("\t\n");
    text += base::printable(rest.substr(0, end));
    if (end == std::string_view::npos) break;
    text += rest[end];
    rest.remove_prefix(end + 1);
  }
  waiting_.clear();
  const auto size = static_cast<std::streamsize>(text.size());
  return target_.sputn(text.data(), size) == size;
}

TerminalOutput::TerminalOutput() : printable_(*std::cout.rdbuf()) {
  coloured_output();  // takes the buffer of before
  if (isatty(STDOUT_FILENO) != 0) former_ = std::cout.rdbuf(&printable_);
}

TerminalOutput::~TerminalOutput() {
  if (former_ == nullptr) return;
  std::cout.flush();
  std::cout.rdbuf(former_);
}

std::ostream& coloured_output() {
  static std::ostream stream(std::cout.rdbuf());
  return stream;
}

void write_output(const std::filesystem::path& file,
                  const std::function<void(std::ostream&)>& write) {
  if (file.empty()) {
    write(std::cout);
  } else {
    base::write_file_atomically(file, write);
  }
}

void log_line(const std::string& text) {
  const auto now = std::time(nullptr);
  std::tm local{};
  localtime_r(&now, &local);
  std::cerr << base::format("%02d:%02d:%02d ", local.tm_hour, local.tm_min, local.tm_sec)
            << base::printable(text) << std::endl;
}

std::string clock_text(double seconds) {
  const auto whole = static_cast<long>(seconds);
  return base::format("%ld:%02ld:%02ld", whole / 3600, whole / 60 % 60, whole % 60);
}

std::string bar_text(double done) {
  constexpr int kWidth = 20;
  const int filled = static_cast<int>(done * kWidth);
  return base::format("[%-*s]", kWidth, std::string(filled, '=').c_str());
}

}  // namespace fastformer::cli
