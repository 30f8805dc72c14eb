#include "fastformer/recommendation/readers/time_text.h"

#include <gtest/gtest.h>

namespace fastformer::recommendation {
namespace {

TEST(TimeText, ReadsMindsTimesAndIso8601) {
  const double expected = 1573808122;  // 2019-11-15 08:55:22 UTC
  for (const char* text : {"11/15/2019 8:55:22 AM", "2019-11-15T08:55:22", "2019-11-15 08:55:22",
                           "2019-11-15T08:55:22Z", "2019-11-15T09:55:22+01:00",
                           "2019-11-15T03:25:22-0530", "2019-11-15t08:55:22.000z"}) {
    EXPECT_EQ(parse_time(text), expected) << text;
  }
  EXPECT_EQ(parse_time("11/15/2019 12:00:00 AM"), parse_time("2019-11-15"));
  EXPECT_EQ(parse_time("2019-11-15T08:55"), expected - 22);
  EXPECT_EQ(parse_time("1970-01-01T00:00:00.5"), 0.5);
}

TEST(TimeText, RefusesWhatIsNoTime) {
  for (const char* text : {"", "12345", "2019-02-30", "2019-11-15T25:00", "2019-11-15T08:60:00",
                           "2019-11-15T08", "2019-11-15X", "13/15/2019 8:55:22 AM",
                           "2019-11-15T08:00+", "11/15/2019 8:55:22", "2019-1-5"}) {
    EXPECT_FALSE(parse_time(text)) << text;
  }
}

}  // namespace
}  // namespace fastformer::recommendation
