#include "fastformer/recommendation/readers/time_text.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>

namespace fastformer::recommendation {
namespace {

// Takes `least` to `most` digits off the text; -1 where there are no such.
std::int64_t take_digits(std::string_view& text, std::size_t least, std::size_t most) {
  std::size_t count = 0;
  std::int64_t number = 0;
  for (; count < std::min(most, text.size()) && text[count] >= '0' && text[count] <= '9'; ++count) {
    number = 10 * number + (text[count] - '0');
  }
  if (count < least) return -1;
  text.remove_prefix(count);
  return number;
}

bool take(std::string_view& text, std::string_view characters) {
  if (text.empty() || characters.find(text.front()) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

bool within(std::int64_t number, std::int64_t least, std::int64_t most) {
  return number >= least && number <= most;
}

std::optional<double> seconds_of_day(std::int64_t year, std::int64_t month, std::int64_t day) {
  if (!within(year, 1, 9999) || !within(month, 1, 12) || !within(day, 1, 31)) return std::nullopt;
  const auto date =
      std::chrono::year(static_cast<int>(year)) / static_cast<int>(month) / static_cast<int>(day);
  if (!date.ok()) return std::nullopt;
  return 86'400.0 * static_cast<double>(std::chrono::sys_days(date).time_since_epoch().count());
}

std::optional<double> parse_mind_time(std::string_view text) {
  const auto number = [&](const char* end) {
    const auto value = take_digits(text, 1, 4);
    return take(text, end) ? value : -1;
  };
  const auto month = number("/"), day = number("/"), year = number(" ");
  const auto hour = number(":"), minute = number(":"), second = number(" ");
  const auto date = seconds_of_day(year, month, day);
  if (!date || !within(hour, 1, 12) || !within(minute, 0, 59) || !within(second, 0, 59) ||
      (text != "AM" && text != "PM")) {
    return std::nullopt;
  }
  return *date +
         static_cast<double>((hour % 12 + (text == "PM" ? 12 : 0)) * 3600 + minute * 60 + second);
}

// Takes "Z", "+01:00" or "+0100" off; seconds to subtract, nothing for another text.
std::optional<double> take_zone(std::string_view& text) {
  if (text.empty() || take(text, "Zz")) return 0.0;
  const bool west = text.front() == '-';
  if (!take(text, "+-")) return std::nullopt;
  const auto hours = take_digits(text, 2, 2);
  take(text, ":");
  const auto minutes = text.empty() ? 0 : take_digits(text, 2, 2);
  if (!within(hours, 0, 23) || !within(minutes, 0, 59)) return std::nullopt;
  const auto seconds = static_cast<double>(hours * 3600 + minutes * 60);
  return west ? -seconds : seconds;
}

std::optional<double> parse_iso_time(std::string_view text) {
  const auto year = take_digits(text, 4, 4);
  if (!take(text, "-")) return std::nullopt;
  const auto month = take_digits(text, 2, 2);
  if (!take(text, "-")) return std::nullopt;
  const auto date = seconds_of_day(year, month, take_digits(text, 2, 2));
  if (!date || text.empty()) return date;
  if (!take(text, "Tt ")) return std::nullopt;
  const auto hour = take_digits(text, 2, 2);
  if (!take(text, ":")) return std::nullopt;
  const auto minute = take_digits(text, 2, 2);
  double second = 0;
  if (take(text, ":")) {
    const auto end = text.find_first_not_of("0123456789.");
    const auto digits = text.substr(0, end);
    const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), second);
    if (result.ec != std::errc() || result.ptr != digits.data() + digits.size()) {
      return std::nullopt;
    }
    text.remove_prefix(digits.size());
  }
  const auto zone = take_zone(text);
  if (!within(hour, 0, 23) || !within(minute, 0, 59) || second >= 61 || !zone || !text.empty()) {
    return std::nullopt;
  }
  return *date + static_cast<double>(hour * 3600 + minute * 60) + second - *zone;
}

}  // namespace

std::optional<double> parse_time(std::string_view text) {
  const auto mind = parse_mind_time(text);
  return mind ? mind : parse_iso_time(text);
}

}  // namespace fastformer::recommendation
