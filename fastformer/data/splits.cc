#include "fastformer/data/splits.h"

#include <algorithm>
#include <numeric>
#include <tuple>

#include "fastformer/base/random.h"

namespace fastformer::data {
namespace {

// A run of rows in `order` that belong together.
struct Group {
  std::size_t first = 0, size = 0;
  std::int32_t stratum = 0;
  std::uint64_t rank = 0;
};

std::vector<std::size_t> kept_rows_by_group(std::span<const SplitRow> rows) {
  std::vector<std::size_t> order;
  order.reserve(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].label >= 0) order.push_back(i);
  }
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return std::tie(rows[a].group, rows[a].label, a) < std::tie(rows[b].group, rows[b].label, b);
  });
  return order;
}

// The rows of a group are sorted by label, so that each label is one run; the first longest wins.
std::int32_t most_frequent_label(std::span<const SplitRow> rows,
                                 std::span<const std::size_t> members) {
  std::int32_t best = 0;
  std::size_t best_count = 0;
  for (std::size_t i = 0; i < members.size();) {
    std::size_t end = i;
    while (end < members.size() && rows[members[end]].label == rows[members[i]].label) ++end;
    if (end - i > best_count) {
      best_count = end - i;
      best = rows[members[i]].label;
    }
    i = end;
  }
  return best;
}

std::vector<Group> find_groups(std::span<const SplitRow> rows,
                               const std::vector<std::size_t>& order, const SplitOptions& options) {
  std::vector<Group> groups;
  for (std::size_t i = 0; i < order.size();) {
    Group group{.first = i};
    const std::uint64_t key = rows[order[i]].group;
    while (i < order.size() && rows[order[i]].group == key) ++i;
    group.size = i - group.first;
    if (options.stratify) {
      group.stratum = most_frequent_label(rows, std::span(order).subspan(group.first, group.size));
    }
    group.rank = base::mix64(key ^ base::mix64(options.seed + 0x9E3779B97F4A7C15));
    groups.push_back(group);
  }
  std::sort(groups.begin(), groups.end(), [](const Group& a, const Group& b) {
    return std::tie(a.stratum, a.rank, a.first) < std::tie(b.stratum, b.rank, b.first);
  });
  return groups;
}

// A group goes where its middle row would fall.
Part part_at(double middle, double total, const SplitOptions& options) {
  if (middle < options.test_fraction * total) return Part::kTest;
  const double held_out = options.test_fraction + options.validation_fraction;
  return middle < held_out * total ? Part::kValidation : Part::kTrain;
}

}  // namespace

std::uint64_t group_key(std::string_view group, std::int64_t row) {
  if (!group.empty()) return base::mix64(base::fnv1a(group));
  return base::mix64(static_cast<std::uint64_t>(row) + 0xD1B54A32D192ED03);
}

std::vector<Part> assign_parts(std::span<const SplitRow> rows, const SplitOptions& options) {
  std::vector<Part> parts(rows.size(), Part::kDropped);
  const auto order = kept_rows_by_group(rows);
  const auto groups = find_groups(rows, order, options);
  for (std::size_t begin = 0; begin < groups.size();) {
    std::size_t end = begin, total = 0;
    for (; end < groups.size() && groups[end].stratum == groups[begin].stratum; ++end) {
      total += groups[end].size;
    }
    std::size_t seen = 0;
    for (; begin < end; ++begin) {
      const Group& group = groups[begin];
      const double middle = static_cast<double>(seen) + 0.5 * static_cast<double>(group.size);
      const Part part = part_at(middle, static_cast<double>(total), options);
      for (std::size_t i = 0; i < group.size; ++i) parts[order[group.first + i]] = part;
      seen += group.size;
    }
  }
  return parts;
}

}  // namespace fastformer::data
