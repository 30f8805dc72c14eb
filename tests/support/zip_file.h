#pragma once

#include <archive.h>
#include <archive_entry.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace fastformer::testing {

/// Writes a zip archive of files: names, which end in '/' for folders, and contents.
inline void write_zip(const std::filesystem::path& path,
                      const std::vector<std::pair<std::string, std::string>>& files) {
  archive* const handle = archive_write_new();
  archive_write_set_format_zip(handle);
  ASSERT_EQ(archive_write_open_filename(handle, path.c_str()), ARCHIVE_OK);
  for (const auto& [name, content] : files) {
    archive_entry* const entry = archive_entry_new();
    archive_entry_set_pathname(entry, name.c_str());
    archive_entry_set_filetype(entry, name.ends_with('/') ? AE_IFDIR : AE_IFREG);
    archive_entry_set_perm(entry, 0644);
    archive_entry_set_size(entry, static_cast<la_int64_t>(content.size()));
    EXPECT_EQ(archive_write_header(handle, entry), ARCHIVE_OK);
    archive_write_data(handle, content.data(), content.size());
    archive_entry_free(entry);
  }
  EXPECT_EQ(archive_write_free(handle), ARCHIVE_OK);
}

}  // namespace fastformer::testing
