#include "fastformer/base/usable_cores.h"

#include <sched.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <set>
#include <string>
#include <thread>

namespace fastformer::base {
namespace {

namespace fs = std::filesystem;

// Distinct cores of the CPU affinity.
std::int64_t affinity_cores() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  // More CPUs than the set has room for: those that the standard library counts.
  if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0) {
    return std::thread::hardware_concurrency();
  }
  std::set<std::string> cores;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &allowed)) continue;
    const auto number = std::to_string(cpu);
    std::ifstream file("/sys/devices/system/cpu/cpu" + number + "/topology/thread_siblings_list");
    std::string siblings;
    cores.insert(std::getline(file, siblings) ? siblings : number);
  }
  return std::ssize(cores);
}

// Quota divided by period, both in microseconds; 0 if there is none.
double quota_of(const fs::path& folder) {
  std::string quota;
  double period = 0;
  if (std::ifstream file(folder / "cpu.max"); !(file >> quota >> period)) {
    std::ifstream(folder / "cpu.cfs_quota_us") >> quota;
    std::ifstream(folder / "cpu.cfs_period_us") >> period;
  }
  const double allowed = std::atof(quota.c_str());  // 0 for "max", -1 for none in version 1
  return allowed > 0 && period > 0 ? allowed / period : 0;
}

}  // namespace

double cpu_quota(const fs::path& root) {
  double least = 0;
  // A line of a hierarchy: "0::/user.slice" in version 2, "4:cpu,cpuacct:/docker/1f" in version 1.
  std::ifstream file(root / "proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    const auto first = line.find(':');
    const auto second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const auto controllers = line.substr(first + 1, second - first - 1);
    if (!controllers.empty() && ("," + controllers + ",").find(",cpu,") == std::string::npos) {
      continue;
    }
    // A quota of any group above this one holds as well. A container may see its own group at the
    // top, under a path that only the machine knows.
    const auto top = root / "sys/fs/cgroup" / controllers;
    for (fs::path group = fs::path(line.substr(second + 1)).relative_path();;
         group = group.parent_path()) {
      const double quota = quota_of(top / group);
      if (quota > 0) least = least > 0 ? std::min(least, quota) : quota;
      if (group.empty()) break;
    }
  }
  return least;
}

std::int64_t usable_cores() {
  static const std::int64_t cores = [] {
    const auto most = affinity_cores();
    const double quota = cpu_quota("/");
    return std::max<std::int64_t>(
        quota > 0 ? std::min(most, static_cast<std::int64_t>(quota)) : most, 1);
  }();
  return cores;
}

}  // namespace fastformer::base
