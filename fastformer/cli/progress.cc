#include "fastformer/cli/progress.h"

#include <unistd.h>

#include <iostream>
#include <utility>

#include "fastformer/base/format.h"
#include "fastformer/cli/terminal_output.h"

namespace fastformer::cli {
Progress::Progress()
    : terminal_(isatty(STDERR_FILENO) != 0), started_(Clock::now()), shown_(started_) {}

std::string Progress::line(const train::StepReport& report, double seconds) const {
  const double per_step = seconds / static_cast<double>(steps_);
  const double left = per_step * static_cast<double>(report.total_steps - report.step);
  return base::format("epoch %ld/%ld  step %ld/%ld  loss %.4f%s  %.0fk tokens/s  %s left",
                      report.epoch, report.epochs, report.step, report.total_steps, mean_loss_,
                      metric_.c_str(), static_cast<double>(tokens_) / seconds / 1000,
                      clock_text(left).c_str());
}

void Progress::on_step(const train::StepReport& report) {
  mean_loss_ = steps_ == 0 ? report.loss : 0.98 * mean_loss_ + 0.02 * report.loss;
  ++steps_;
  tokens_ += report.tokens;
  const auto now = Clock::now();
  const std::chrono::duration<double> since = now - shown_, total = now - started_;
  const bool last = report.step == report.total_steps;
  if (since.count() < (terminal_ ? 0.2 : 10) && !last) return;
  shown_ = now;
  const auto text = line(report, total.count());
  if (!terminal_) {
    log_line(text);
    return;
  }
  const double done = static_cast<double>(report.step) / static_cast<double>(report.total_steps);
  std::cerr << "\r\x1b[K" << bar_text(done) << ' ' << text << std::flush;
}

void Progress::clear_line() {
  if (terminal_) std::cerr << "\r\x1b[K" << std::flush;
}

void Progress::on_validation(const train::ValidationReport& report) {
  std::string scores;
  for (const auto& [name, value] : report.scores) {
    scores += base::format("  %s %.4f", name.c_str(), value);
  }
  const auto& main = report.scores[report.scores.size() > 1 ? 1 : 0];
  metric_ = base::format("  validation %s %.4f", main.name.c_str(), main.value);
  clear_line();
  log_line(base::format("step %ld  validation:%s%s", report.step, scores.c_str(),
                        report.best ? "  (best)" : ""));
}

void Progress::on_notice(const std::string& notice) {
  clear_line();
  log_line(notice);
}

RecordCounter::RecordCounter(std::string name, bool output_is_seen)
    : name_(std::move(name)),
      shown_(isatty(STDERR_FILENO) != 0 && !output_is_seen),
      started_(Clock::now()) {}

RecordCounter::~RecordCounter() {
  if (written_) std::cerr << "\r\x1b[K" << std::flush;
}

void RecordCounter::add(std::size_t records) {
  count_ += records;
  const std::chrono::duration<double> total = Clock::now() - started_;
  if (!shown_ || total.count() < next_) return;
  next_ = total.count() + 0.5;
  written_ = true;
  std::cerr << base::format("\r\x1b[K%zu %s, %.0f per second", count_, name_.c_str(),
                            static_cast<double>(count_) / total.count())
            << std::flush;
}

}  // namespace fastformer::cli
