#pragma once

#include <filesystem>
#include <functional>
#include <ostream>
#include <streambuf>
#include <string>

namespace fastformer::cli {

/// Passes text on with the control characters in it escaped (base/printable.h), but for tabs and
/// line ends. Text that is no whole line waits for its rest, or for a flush.
class PrintableBuffer final : public std::streambuf {
 public:
  /// `target` must outlive the buffer.
  explicit PrintableBuffer(std::streambuf& target) : target_(target) {}
  ~PrintableBuffer() override { sync(); }

 protected:
  int_type overflow(int_type byte) override;
  int sync() override;

 private:
  bool drain();

  std::streambuf& target_;
  std::string waiting_;
};

/// While it lives, std::cout goes through a PrintableBuffer if it is a terminal: titles, labels and
/// texts of a file decide what is read there, not what the terminal does. Pipes and files get every
/// byte as it is.
class TerminalOutput {
 public:
  TerminalOutput();
  TerminalOutput(const TerminalOutput&) = delete;
  TerminalOutput& operator=(const TerminalOutput&) = delete;
  ~TerminalOutput();

 private:
  PrintableBuffer printable_;
  std::streambuf* former_ = nullptr;  ///< null: no terminal
};

/// The standard output without a PrintableBuffer, for what the program colours itself.
std::ostream& coloured_output();

/// Calls `write` with the standard output, or with a file that appears when `write` has returned,
/// if `file` is not empty. Throws as base::write_file_atomically() does.
void write_output(const std::filesystem::path& file,
                  const std::function<void(std::ostream&)>& write);

/// Writes a line with the time of day before it to the standard error.
void log_line(const std::string& text);

/// "1:02:03" for 3,723 seconds.
std::string clock_text(double seconds);

/// "[=====               ]" for a quarter.
std::string bar_text(double done);

}  // namespace fastformer::cli
