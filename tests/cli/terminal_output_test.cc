#include "fastformer/cli/terminal_output.h"

#include <gtest/gtest.h>

#include <ostream>
#include <sstream>

namespace fastformer::cli {
namespace {

TEST(PrintableBuffer, EscapesAllButTabsAndLineEnds) {
  std::ostringstream shown;
  {
    PrintableBuffer buffer(*shown.rdbuf());
    std::ostream out(&buffer);
    out << "sport\t0.9\t\x1b]0;owned\a\n" << "caf\xc3";
    EXPECT_EQ(shown.str(), "sport\t0.9\t\\x1b]0;owned\\x07\n");
    out << "\xa9 \x1b[2J" << std::flush;
    EXPECT_TRUE(shown.str().ends_with("caf\u00e9 \\x1b[2J"));
    out << "end";
  }
  EXPECT_TRUE(shown.str().ends_with("end"));
}

TEST(PrintableBuffer, TellsThatItsTargetFailed) {
  struct Full final : std::streambuf {
    std::streamsize xsputn(const char*, std::streamsize) override { return 0; }
  } full;
  PrintableBuffer buffer(full);
  std::ostream out(&buffer);
  out << "text\n";
  EXPECT_FALSE(out.flush());
}

}  // namespace
}  // namespace fastformer::cli
