#include <cmath>
#include <sstream>
#include <stdexcept>
#include <type_traits>

#include "fastformer/base/config_tree.h"
#include "fastformer/base/suggest.h"

namespace fastformer::base {
namespace {

[[noreturn]] void fail(const ConfigValue& value, const std::string& what) {
  throw std::invalid_argument(value.where + ": " + what);
}

std::string number_text(double number) {
  std::ostringstream out;
  out.imbue(std::locale::classic());
  out.precision(12);
  out << number;
  return out.str();
}

std::string describe(const ConfigValue& value) {
  return std::visit(
      [](const auto& held) -> std::string {
        using Held = std::decay_t<decltype(held)>;
        if constexpr (std::is_same_v<Held, bool>) {
          return held ? "true" : "false";
        } else if constexpr (std::is_same_v<Held, std::int64_t>) {
          return "the number " + std::to_string(held);
        } else if constexpr (std::is_same_v<Held, double>) {
          return "the number " + number_text(held);
        } else if constexpr (std::is_same_v<Held, std::string>) {
          return "the text '" + held + "'";
        } else {
          return "a list";
        }
      },
      value.value);
}

[[noreturn]] void fail_type(const std::string& key, const ConfigValue& value,
                            const std::string& expected) {
  fail(value, key + " must be " + expected + ", but is " + describe(value));
}

void check_range(const std::string& key, const ConfigValue& value, const Constraint& constraint,
                 double number) {
  if (number >= constraint.minimum && number <= constraint.maximum) return;
  const bool bounded_below = std::isfinite(constraint.minimum);
  const bool bounded_above = std::isfinite(constraint.maximum);
  std::string range = "a finite number";
  if (bounded_below && bounded_above) {
    range =
        "between " + number_text(constraint.minimum) + " and " + number_text(constraint.maximum);
  } else if (bounded_below) {
    range = "at least " + number_text(constraint.minimum);
  } else if (bounded_above) {
    range = "at most " + number_text(constraint.maximum);
  }
  fail_type(key, value, range);
}

void check_choice(const std::string& key, const ConfigValue& value, const Constraint& constraint,
                  const std::string& text) {
  const auto& choices = constraint.choices;
  if (choices.empty() || std::find(choices.begin(), choices.end(), text) != choices.end()) return;
  fail(value, key + " does not know '" + text + "'" + suggestion(text, choices));
}

}  // namespace

void assign_field(const std::string& key, const ConfigValue& value, const Constraint&,
                  bool& field) {
  const auto* flag = std::get_if<bool>(&value.value);
  if (flag == nullptr) fail_type(key, value, "true or false");
  field = *flag;
}

void assign_field(const std::string& key, const ConfigValue& value, const Constraint& constraint,
                  std::int64_t& field) {
  const auto* integer = std::get_if<std::int64_t>(&value.value);
  if (integer == nullptr) fail_type(key, value, "a whole number (written without a point)");
  check_range(key, value, constraint, static_cast<double>(*integer));
  field = *integer;
}

void assign_field(const std::string& key, const ConfigValue& value, const Constraint& constraint,
                  double& field) {
  double number = 0;
  if (const auto* integer = std::get_if<std::int64_t>(&value.value)) {
    number = static_cast<double>(*integer);
  } else if (const auto* real = std::get_if<double>(&value.value)) {
    number = *real;
  } else {
    fail_type(key, value, "a number");
  }
  if (!std::isfinite(number)) fail_type(key, value, "a finite number");
  check_range(key, value, constraint, number);
  field = number;
}

void assign_field(const std::string& key, const ConfigValue& value, const Constraint& constraint,
                  std::string& field) {
  const auto* text = std::get_if<std::string>(&value.value);
  if (text == nullptr) fail_type(key, value, "a text (written in double quotes)");
  check_choice(key, value, constraint, *text);
  field = *text;
}

void assign_field(const std::string& key, const ConfigValue& value, const Constraint& constraint,
                  std::vector<std::string>& field) {
  std::vector<std::string> list;
  if (const auto* texts = std::get_if<std::vector<std::string>>(&value.value)) {
    list = *texts;
  } else if (const auto* text = std::get_if<std::string>(&value.value)) {
    list = {*text};
  } else {
    fail_type(key, value, "a list of texts (each in double quotes)");
  }
  for (const auto& text : list) check_choice(key, value, constraint, text);
  field = std::move(list);
}

void throw_unknown_key(const std::string& section, const std::string& key, const ConfigValue& value,
                       const std::vector<std::string>& known) {
  fail(value, "unknown key '" + key + "' in section [" + section + "]" + suggestion(key, known));
}

void throw_nested_value(const std::string& where, const std::string& key) {
  throw std::invalid_argument(
      where + ": " + key +
      " must be a bool, a number, a text or a list of texts, and nothing nested");
}

}  // namespace fastformer::base
