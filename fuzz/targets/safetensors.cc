#include "fastformer/base/safetensors.h"

#include <map>

#include "target.h"

namespace fastformer::fuzz {

using base::SafetensorsFile;

// The header's length is that of the first line, so that changes of the header get behind it.
std::string with_length(std::string_view bytes) {
  const auto size = std::min(bytes.find('\n'), bytes.size());
  std::string length(8, '\0');
  for (std::size_t i = 0; i < length.size(); ++i) length[i] = static_cast<char>(size >> 8 * i);
  return length.append(bytes);
}

void run(std::string_view bytes) {
  const bool raw = bytes.starts_with('\0');
  const auto file =
      SafetensorsFile::open(write("a.safetensors", raw ? bytes.substr(1) : with_length(bytes)));
  const auto copy = folder() / "copy.safetensors";
  base::write_safetensors(copy, file.tensors(), file.metadata());
  const auto again = SafetensorsFile::open(copy);
  check(again.metadata() == file.metadata(), "metadata survive");
  check(again.tensors().size() == file.tensors().size(), "tensors survive");
  for (const auto& [name, tensor] : file.tensors()) {
    const auto& other = again.tensor(name);
    check(other.dtype == tensor.dtype && other.shape == tensor.shape &&
              std::ranges::equal(other.data, tensor.data),
          "a tensor survives");
  }
}

}  // namespace fastformer::fuzz
