#include "fastformer/data/file_kind.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <stdexcept>

#include "fastformer/base/ascii.h"

namespace fastformer::data {
namespace {

using namespace std::string_view_literals;

constexpr auto kTable =
    "write it as CSV with: python3 -c \"import pandas; pandas.read_parquet('FILE')"
    ".to_csv('FILE.csv', index=False)\""sv;
constexpr auto kFeather =
    "write it as CSV with: python3 -c \"import pandas; pandas.read_feather('FILE')"
    ".to_csv('FILE.csv', index=False)\""sv;
constexpr auto kOrc =
    "write it as CSV with: python3 -c \"import pandas; pandas.read_orc('FILE')"
    ".to_csv('FILE.csv', index=False)\""sv;
constexpr auto kPickle =
    "write it as CSV with: python3 -c \"import pandas; pandas.read_pickle('FILE')"
    ".to_csv('FILE.csv', index=False)\""sv;
constexpr auto kStata =
    "write it as CSV with: python3 -c \"import pandas; pandas.read_stata('FILE')"
    ".to_csv('FILE.csv', index=False)\""sv;
constexpr auto kSpss =
    "write it as CSV with: python3 -c \"import pandas; pandas.read_spss('FILE')"
    ".to_csv('FILE.csv', index=False)\""sv;
constexpr auto kWorkbook = "write it as CSV with: libreoffice --headless --convert-to csv 'FILE'"sv;
constexpr auto kDocument =
    "write it as text with: libreoffice --headless --convert-to txt 'FILE'"sv;
constexpr auto kDatabase =
    "write the table as CSV with: sqlite3 -header -csv 'FILE' 'SELECT * FROM table' > FILE.csv"sv;
constexpr auto kPdf = "write it as text with: pdftotext 'FILE' 'FILE.txt'"sv;
constexpr auto kPage = "write it as text with: pandoc -f html -t plain 'FILE' -o 'FILE.txt'"sv;
constexpr auto kRtf = "write it as text with: pandoc -f rtf -t plain 'FILE' -o 'FILE.txt'"sv;
constexpr auto kNoText = "give the file that contains the text"sv;
constexpr auto kUnpack = "unpack it with: 7z x 'FILE'"sv;
constexpr auto kModelAdvice = "give a text file here"sv;

struct Magic {
  std::string_view bytes;
  FileKind kind;
};

constexpr std::array kMagics = {
    Magic{"PAR1"sv, {"a Parquet table", kTable}},
    Magic{"ARROW1"sv, {"an Arrow table", kFeather}},
    Magic{"FEA1"sv, {"a Feather table", kFeather}},
    Magic{"ORC"sv, {"an ORC table", kOrc}},
    Magic{"Obj\x01"sv, {"an Avro table", "write it as JSON Lines with: avro-tools tojson 'FILE'"}},
    Magic{"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"sv, {"an old Office file (.xls, .doc)", kWorkbook}},
    Magic{"SQLite format 3\0"sv, {"an SQLite database", kDatabase}},
    Magic{"\x89HDF\r\n\x1A\n"sv,
          {"an HDF5 file", "write its table as CSV with pandas.read_hdf('FILE').to_csv"}},
    Magic{"\x93NUMPY"sv, {"a NumPy array", kNoText}},
    Magic{"<stata_dta>"sv, {"a Stata table", kStata}},
    Magic{"$FL2"sv, {"an SPSS table", kSpss}},
    Magic{"RDX2\n"sv, {"an R data file", "write it as CSV with write.csv in R"}},
    Magic{"RDX3\n"sv, {"an R data file", "write it as CSV with write.csv in R"}},
    Magic{"\x80\x02"sv, {"a Python pickle", kPickle}},
    Magic{"\x80\x03"sv, {"a Python pickle", kPickle}},
    Magic{"\x80\x04\x95"sv, {"a Python pickle", kPickle}},
    Magic{"\x80\x05\x95"sv, {"a Python pickle", kPickle}},
    Magic{"%PDF-"sv, {"a PDF document", kPdf}},
    Magic{"{\\rtf"sv, {"an RTF document", kRtf}},
    Magic{"\x89PNG\r\n\x1A\n"sv, {"a PNG image", kNoText}},
    Magic{"\xFF\xD8\xFF"sv, {"a JPEG image", kNoText}},
    Magic{"GIF87a"sv, {"a GIF image", kNoText}},
    Magic{"GIF89a"sv, {"a GIF image", kNoText}},
    Magic{"II*\0"sv, {"a TIFF image", kNoText}},
    Magic{"MM\0*"sv, {"a TIFF image", kNoText}},
    Magic{"7z\xBC\xAF\x27\x1C"sv, {"a 7z archive", kUnpack}},
    Magic{"Rar!\x1A\x07"sv, {"a RAR archive", kUnpack}},
    Magic{"\x7F"
          "ELF"sv,
          {"a program", kNoText}},
    Magic{"GGUF"sv, {"a GGUF model", kModelAdvice}},
};

constexpr FileKind kWebpImage = {"a WebP image", kNoText};
constexpr FileKind kWebPage = {"a web page (HTML)", kPage};
constexpr FileKind kSafetensors = {"a model's weights (safetensors)", kModelAdvice};

// Whether text could begin so: the magic of a table such as "ORC" is also a word.
bool may_be_text(std::string_view head) {
  return std::none_of(head.begin(), head.end(), [](char c) {
    return static_cast<unsigned char>(c) < ' ' && c != '\t' && c != '\n' && c != '\r';
  });
}

bool is_a_word(std::string_view magic) {
  return std::all_of(magic.begin(), magic.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '$';
  });
}

bool starts_with_word(std::string_view text, std::string_view word) {
  return base::equal_ignoring_case(text.substr(0, word.size()), word);
}

bool is_web_page(std::string_view head) {
  if (head.starts_with("\xEF\xBB\xBF")) head.remove_prefix(3);
  head.remove_prefix(std::min(head.find_first_not_of(" \t\r\n"), head.size()));
  return starts_with_word(head, "<!doctype html") || starts_with_word(head, "<html");
}

// A safetensors file begins with the length of its JSON heading, in eight bytes.
bool is_safetensors(std::string_view head) {
  if (head.size() < 10 || head[8] != '{' || head[9] != '"') return false;
  std::uint64_t length = 0;
  std::memcpy(&length, head.data(), sizeof(length));
  return length > 1 && length < (std::uint64_t{1} << 32);
}

constexpr FileKind kExcel = {"an Excel workbook", kWorkbook};
constexpr FileKind kWord = {"a Word document", kDocument};
constexpr FileKind kOpenDocument = {"an OpenDocument file", kDocument};
constexpr FileKind kPowerPoint = {"a PowerPoint file", kDocument};
constexpr FileKind kTorchModel = {"a PyTorch model", kModelAdvice};
constexpr FileKind kNumpyArchive = {"a NumPy archive", kNoText};
constexpr FileKind kEpub = {"an EPUB book",
                            "write it as text with: pandoc -f epub -t plain 'FILE' -o 'FILE.txt'"};

}  // namespace

const FileKind* kind_of_bytes(std::string_view head) {
  for (const auto& magic : kMagics) {
    if (!head.starts_with(magic.bytes)) continue;
    if (!is_a_word(magic.bytes) || !may_be_text(head.substr(0, 64))) return &magic.kind;
  }
  if (head.starts_with("RIFF") && head.substr(std::min<std::size_t>(8, head.size()), 4) == "WEBP") {
    return &kWebpImage;
  }
  if (is_safetensors(head)) return &kSafetensors;
  return is_web_page(head) ? &kWebPage : nullptr;
}

const FileKind* kind_of_member(std::string_view name) {
  if (name.starts_with("xl/")) return &kExcel;
  if (name.starts_with("word/")) return &kWord;
  if (name.starts_with("ppt/")) return &kPowerPoint;
  if (name == "META-INF/container.xml") return &kEpub;
  if (name == "content.xml") return &kOpenDocument;
  if (name == "data.pkl" || name.ends_with("/data.pkl")) return &kTorchModel;
  if (name.ends_with(".npy")) return &kNumpyArchive;
  return nullptr;
}

void refuse_kind(const FileKind& kind, const std::string& file) {
  std::string advice(kind.advice);
  for (auto at = advice.find("FILE"); at != std::string::npos;
       at = advice.find("FILE", at + file.size())) {
    advice.replace(at, 4, file);
  }
  throw std::invalid_argument(file + ": is " + std::string(kind.name) +
                              ", but text was expected; " + advice);
}

}  // namespace fastformer::data
