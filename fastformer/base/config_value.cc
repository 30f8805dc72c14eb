#include "fastformer/base/config_value.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <type_traits>

#include "fastformer/base/format.h"
#include "fastformer/base/printable.h"

namespace fastformer::base {
namespace {

[[noreturn]] void fail(const ConfigValue& value, const std::string& what) {
  throw std::invalid_argument(value.where + ": " + what);
}

// Shortest text that reads back as the same double, and as a double rather than an integer.
std::string number_text(double number) {
  char buffer[32];
  const auto result = std::to_chars(buffer, buffer + sizeof buffer, number);
  std::string text(buffer, result.ptr);
  if (text.find_first_of(".en") == std::string::npos) text += ".0";
  return text;
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
          return format("the number %.12g", held);
        } else if constexpr (std::is_same_v<Held, std::string>) {
          return "the string '" + excerpt(held) + "'";
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
    range = format("between %.12g and %.12g", constraint.minimum, constraint.maximum);
  } else if (bounded_below) {
    range = format("at least %.12g", constraint.minimum);
  } else if (bounded_above) {
    range = format("at most %.12g", constraint.maximum);
  }
  fail_type(key, value, range);
}

void check_choice(const std::string& key, const ConfigValue& value,
                  const std::vector<std::string>& choices, const std::string& text) {
  if (choices.empty() || std::find(choices.begin(), choices.end(), text) != choices.end()) return;
  fail(value, key + " cannot be '" + excerpt(text) + "'" + suggestion(text, choices));
}

const std::string& text_of(const std::string& key, const ConfigValue& value) {
  const auto* text = std::get_if<std::string>(&value.value);
  if (text == nullptr) fail_type(key, value, "a string (in double quotes)");
  return *text;
}

// Puts one value into one field; a class only because every overload needs the same three things.
struct Assigner {
  const std::string& key;
  const ConfigValue& value;
  const Constraint& constraint;

  void operator()(bool* field) const {
    const auto* flag = std::get_if<bool>(&value.value);
    if (flag == nullptr) fail_type(key, value, "true or false");
    *field = *flag;
  }

  void operator()(std::int64_t* field) const {
    const auto* integer = std::get_if<std::int64_t>(&value.value);
    if (integer == nullptr) fail_type(key, value, "a whole number (without a decimal point)");
    check_range(key, value, constraint, static_cast<double>(*integer));
    *field = *integer;
  }

  void operator()(double* field) const {
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
    *field = number;
  }

  void operator()(std::string* field) const {
    const auto& text = text_of(key, value);
    check_choice(key, value, constraint.choices, text);
    *field = text;
  }

  void operator()(std::vector<std::string>* field) const {
    std::vector<std::string> list;
    if (const auto* texts = std::get_if<std::vector<std::string>>(&value.value)) {
      list = *texts;
    } else if (const auto* text = std::get_if<std::string>(&value.value)) {
      list = {*text};
    } else {
      fail_type(key, value, "a list of strings (each in double quotes)");
    }
    for (const auto& text : list) check_choice(key, value, constraint.choices, text);
    *field = std::move(list);
  }

  void operator()(EnumField field) const {
    const auto& text = text_of(key, value);
    check_choice(key, value, {field.words.begin(), field.words.end()}, text);
    const auto place = std::find(field.words.begin(), field.words.end(), text);
    *field.value = static_cast<std::uint8_t>(place - field.words.begin());
  }
};

bool is_bare(const std::string& key) {
  return !key.empty() && std::all_of(key.begin(), key.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  });
}

std::string toml_key(const std::string& key) { return is_bare(key) ? key : quoted(key); }

}  // namespace

ConfigValue value_of(FieldRef field, const std::string& where) {
  return std::visit(
      [&](auto ref) -> ConfigValue {
        if constexpr (std::is_same_v<decltype(ref), EnumField>) {
          return {std::string(ref.words[*ref.value]), where};
        } else {
          return {*ref, where};
        }
      },
      field);
}

void assign(const std::string& key, const ConfigValue& value, const Constraint& constraint,
            FieldRef field) {
  std::visit(Assigner{key, value, constraint}, field);
}

// A JSON string is a TOML basic string, save for DEL, which TOML wants escaped.
std::string quoted(const std::string& text) {
  std::string dumped;
  try {
    dumped = nlohmann::json(text).dump();
  } catch (const nlohmann::json::exception&) {
    throw std::invalid_argument("a string is not UTF-8; convert it to UTF-8");
  }
  std::string result;
  for (const char c : dumped) {
    if (c == '\x7f') {
      result += "\\u007f";
    } else {
      result += c;
    }
  }
  return result;
}

std::string toml_text(const ConfigValue& value) {
  return std::visit(
      [](const auto& held) -> std::string {
        using Held = std::decay_t<decltype(held)>;
        if constexpr (std::is_same_v<Held, bool>) {
          return held ? "true" : "false";
        } else if constexpr (std::is_same_v<Held, std::int64_t>) {
          return std::to_string(held);
        } else if constexpr (std::is_same_v<Held, double>) {
          return number_text(held);
        } else if constexpr (std::is_same_v<Held, std::string>) {
          return quoted(held);
        } else {
          std::string list = "[";
          for (const auto& text : held) list += (list.size() > 1 ? ", " : "") + quoted(text);
          return list + "]";
        }
      },
      value.value);
}

std::string toml_path(std::string_view path) {
  std::string text;
  for (auto dot = path.find('.'); dot != std::string_view::npos; dot = path.find('.')) {
    text += toml_key(std::string(path.substr(0, dot))) + ".";
    path.remove_prefix(dot + 1);
  }
  return text + toml_key(std::string(path));
}

}  // namespace fastformer::base
