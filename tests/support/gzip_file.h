#pragma once

#include <archive.h>
#include <archive_entry.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

namespace fastformer::testing {

/// Writes a file whose content is compressed with gzip.
inline void write_gzip(const std::filesystem::path& path, const std::string& content) {
  archive* const handle = archive_write_new();
  archive_write_add_filter_gzip(handle);
  archive_write_set_format_raw(handle);
  ASSERT_EQ(archive_write_open_filename(handle, path.c_str()), ARCHIVE_OK);
  archive_entry* const entry = archive_entry_new();
  archive_entry_set_pathname(entry, path.c_str());
  archive_entry_set_filetype(entry, AE_IFREG);
  EXPECT_EQ(archive_write_header(handle, entry), ARCHIVE_OK);
  archive_write_data(handle, content.data(), content.size());
  archive_entry_free(entry);
  EXPECT_EQ(archive_write_free(handle), ARCHIVE_OK);
}

}  // namespace fastformer::testing
