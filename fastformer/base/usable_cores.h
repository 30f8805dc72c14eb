#pragma once

#include <cstdint>
#include <filesystem>

namespace fastformer::base {

/// Processor cores that this process may keep busy: those of its CPU affinity, two hardware threads
/// of a core counted once, and at most the CPU quota of its control groups (`cpu.max` of version 2,
/// `cpu.cfs_quota_us` of version 1), rounded down. At least 1. Read once per process.
std::int64_t usable_cores();

/// The CPU quota of the control groups of this process as `root` shows them ("/" is the machine),
/// in cores; 0 without a quota.
double cpu_quota(const std::filesystem::path& root);

}  // namespace fastformer::base
