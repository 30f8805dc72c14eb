#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace fastformer::testing {

/// A fresh folder that is removed with everything in it when the object goes.
///
///   const TemporaryFolder folder;
///   const auto path = folder.write("recipe.toml", "[train]\nepochs = 3\n");
class TemporaryFolder {
 public:
  TemporaryFolder() {
    auto name = (std::filesystem::temp_directory_path() / "fastformer_test.XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error(name + ": cannot be made");
    path_ = name;
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(std::string_view name) const { return path_ / name; }
  std::filesystem::path write(std::string_view name, std::string_view content) const {
    const auto file = path_ / name;
    std::ofstream(file, std::ios::binary) << content;
    return file;
  }

 private:
  std::filesystem::path path_;
};

/// The message of the `Error` that `action` throws; another exception passes through, and no
/// exception gives an empty text. A message of more than one line is marked as wrong.
template <class Error = std::invalid_argument, class Action>
std::string error_of(Action&& action) {
  try {
    action();
  } catch (const Error& error) {
    const std::string message = error.what();
    return message.find('\n') == std::string::npos ? message : "[several lines] " + message;
  }
  return "";
}

}  // namespace fastformer::testing

/// Every word must stand in the text; a failure shows the whole text.
#define EXPECT_MENTIONS(text, ...)                                                   \
  do {                                                                               \
    const std::string mentions_text = (text);                                        \
    for (const std::string& mentions_word : std::vector<std::string>{__VA_ARGS__}) { \
      EXPECT_NE(mentions_text.find(mentions_word), std::string::npos)                \
          << "'" << mentions_word << "' is not in: " << mentions_text;               \
    }                                                                                \
  } while (false)
