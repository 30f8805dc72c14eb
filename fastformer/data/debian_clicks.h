#pragma once

#include <filesystem>

#include "fastformer/data/click_source.h"

namespace fastformer::data {

/// Package indexes (see DebianIndex) as a data set of clicks that everyone has: a package is a user
/// and a news at once, what it depends on are its clicks, and the title is its description
/// ("title": the first line, "body": the rest, both columns of title_columns). The category is the
/// section.
///
/// Of alternatives ("a | b") the first counts; dependencies without a paragraph are unknown news
/// and left out. Each dependency makes an impression (see UnmetItems), whose history are the
/// others, in a ring from behind it. Dependencies have no time: a hash of the source stands for it,
/// so that split_by_time draws at random and leaves the packages of a source together.
ClickSource read_debian_clicks(const ClickDataConfig& config);

/// The packages of an index as news.
void read_debian_packages(const std::filesystem::path& index, const ClickDataConfig& config,
                          NewsTable& news);

}  // namespace fastformer::data
