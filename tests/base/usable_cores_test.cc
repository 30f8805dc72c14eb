#include "fastformer/base/usable_cores.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "support/temporary_folder.h"

namespace fastformer::base {
namespace {

namespace fs = std::filesystem;

class CpuQuota : public ::testing::Test {
 protected:
  void write(const std::string& file, const std::string& text) const {
    const auto path = root() / file;
    fs::create_directories(path.parent_path());
    std::ofstream(path) << text;
  }
  fs::path root() const { return folder_.path(); }

 private:
  fastformer::testing::TemporaryFolder folder_;
};

TEST_F(CpuQuota, IsNoneWithoutControlGroups) { EXPECT_EQ(cpu_quota(root()), 0); }

TEST_F(CpuQuota, IsTheLeastOfAllGroupsAboveInVersion2) {
  write("proc/self/cgroup", "0::/user.slice/job.scope\n");
  write("sys/fs/cgroup/user.slice/job.scope/cpu.max", "max 100000\n");
  EXPECT_EQ(cpu_quota(root()), 0);
  write("sys/fs/cgroup/user.slice/cpu.max", "150000 100000\n");
  EXPECT_EQ(cpu_quota(root()), 1.5);
  write("sys/fs/cgroup/user.slice/job.scope/cpu.max", "50000 100000\n");
  EXPECT_EQ(cpu_quota(root()), 0.5);
}

TEST_F(CpuQuota, IsFoundInAContainerThatSeesItsGroupAtTheTop) {
  write("proc/self/cgroup", "0::/../../docker/3f\n");
  write("sys/fs/cgroup/cpu.max", "200000 100000\n");
  EXPECT_EQ(cpu_quota(root()), 2);
}

TEST_F(CpuQuota, ReadsVersion1) {
  write("proc/self/cgroup", "7:memory:/docker/3f\n4:cpu,cpuacct:/docker/3f\n");
  write("sys/fs/cgroup/cpu,cpuacct/docker/3f/cpu.cfs_quota_us", "-1\n");
  write("sys/fs/cgroup/cpu,cpuacct/docker/3f/cpu.cfs_period_us", "100000\n");
  write("sys/fs/cgroup/memory/docker/3f/cpu.cfs_quota_us", "10000\n");
  write("sys/fs/cgroup/memory/docker/3f/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(cpu_quota(root()), 0);
  write("sys/fs/cgroup/cpu,cpuacct/docker/3f/cpu.cfs_quota_us", "300000\n");
  EXPECT_EQ(cpu_quota(root()), 3);
}

TEST_F(CpuQuota, IgnoresWhatIsNoNumber) {
  write("proc/self/cgroup", "no line of a group\n0::/\n");
  write("sys/fs/cgroup/cpu.max", "much 0\n");
  EXPECT_EQ(cpu_quota(root()), 0);
}

TEST(UsableCores, IsAtLeastOne) { EXPECT_GE(usable_cores(), 1); }

}  // namespace
}  // namespace fastformer::base
