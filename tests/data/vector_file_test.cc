#include "fastformer/data/vector_file.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "fastformer/base/atomic_file.h"
#include "fastformer/data/npy_file.h"
#include "support/temporary_folder.h"

namespace fastformer::data {
namespace {

using testing::error_of;
using testing::TemporaryFolder;
using Texts = std::vector<std::string>;

TEST(VectorFile, JsonLinesHaveIdsAndTexts) {
  const TemporaryFolder folder;
  const auto read =
      read_vectors(folder.write("a.jsonl",
                                "{\"id\": 7, \"text\": \"oil\", \"vector\": [1, -2.5]}\n"
                                "{\"row\": 2, \"vector\": [0, 1e-3]}\n"));
  EXPECT_EQ(read.vectors.width, 2U);
  EXPECT_EQ(read.vectors.values, (std::vector<float>{1, -2.5F, 0, 1e-3F}));
  EXPECT_EQ(read.ids, (Texts{"7", ""}));
  EXPECT_EQ(read.texts, (Texts{"oil", ""}));
  const auto bare = read_vectors(folder.write("b.jsonl", "{\"vector\": [1]}\n"));
  EXPECT_TRUE(bare.ids.empty() && bare.texts.empty());
}

TEST(VectorFile, ArraysAreFoundByTheirContent) {
  const TemporaryFolder folder;
  base::write_file_atomically(folder / "vectors", [](std::ostream& out) {
    NpyWriter writer(out, 2);
    writer.write(std::vector<float>{1, 2, 3, 4});
    writer.finish();
  });
  EXPECT_EQ(read_vectors(folder / "vectors").vectors.rows(), 2U);
}

TEST(VectorFile, WhatIsNoVectorIsRefusedByFileAndLine) {
  const TemporaryFolder folder;
  const auto refused = [&](const std::string& content) {
    return error_of([&] { read_vectors(folder.write("a.jsonl", content)); });
  };
  EXPECT_MENTIONS(refused("{\"vector\": [1]}\n{\"vector\": [1, 2]}\n"), "a.jsonl:2", "2 numbers");
  EXPECT_MENTIONS(refused("{\"vectors\": [1]}\n"), "a.jsonl:1", "did you mean 'vectors'?");
  EXPECT_MENTIONS(refused("{\"vector\": [\"1\"]}\n"), "a.jsonl:1", "string");
  EXPECT_MENTIONS(refused("{\"vector\": [null]}\n"), "a.jsonl:1", "null");
  EXPECT_MENTIONS(refused("{\"vector\": []}\n"), "a.jsonl:1", "list of numbers");
  EXPECT_MENTIONS(refused("{\"vector\": 1}\n"), "a.jsonl:1", "list of numbers");
  EXPECT_MENTIONS(refused("{\"vector\": [1e300]}\n"), "vector 1", "not finite");
  EXPECT_MENTIONS(refused(""), "holds no vectors");
  EXPECT_MENTIONS(error_of([&] { read_vectors(folder / "gone"); }), "gone");
}

}  // namespace
}  // namespace fastformer::data
