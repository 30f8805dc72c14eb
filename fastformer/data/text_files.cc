#include "fastformer/data/text_files.h"

#include <algorithm>
#include <stdexcept>
#include <system_error>

#include "fastformer/data/line_stream.h"
#include "fastformer/data/utf8.h"

namespace fastformer::data {

namespace fs = std::filesystem;

std::vector<fs::path> list_files(const fs::path& folder, std::string_view extension) {
  std::vector<fs::path> files;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    if (entry->path().extension() == extension) files.push_back(entry->path());
  }
  if (error) {
    throw std::invalid_argument(folder.string() + ": cannot be listed: " + error.message() +
                                "; check its permissions");
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::string read_document(const fs::path& file) {
  LineStream lines(file);
  std::string text, line;
  while (lines.next(line)) {
    check_text(line, lines.where());
    if (lines.line_number() > 1) text += '\n';
    text += line;
    if (text.size() > kMaximumRecordBytes) {
      throw std::invalid_argument(file.string() +
                                  ": is longer than 64 MB, the most a record may have");
    }
  }
  return text;
}

}  // namespace fastformer::data
