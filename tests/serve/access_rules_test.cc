#include "fastformer/serve/access_rules.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "support/temporary_folder.h"

namespace fastformer::serve {
namespace {

namespace fs = std::filesystem;

constexpr auto kPrivate = fs::perms::owner_read | fs::perms::owner_write;

unsigned status(const AccessRules& rules, const Caller& caller, bool open = false) {
  const auto problem = rules.problem_of(caller, open);
  return problem ? problem->status : 200;
}

TEST(AccessRules, ALoopbackServerAnswersOnlyToItsNames) {
  const AccessRules rules({.host_names = {"Search.local"}}, /*loopback=*/true);
  for (const auto* host : {"localhost", "LOCALHOST:8080", "127.0.0.1:1", "[::1]:8080", "[::1]",
                           "10.0.0.1", "search.local:80"}) {
    EXPECT_EQ(status(rules, {.host = host}), 200U) << host;
  }
  for (const auto* host :
       {"evil.example", "localhost.evil.example:8080", "127.0.0.1.evil", "[::1].evil"}) {
    EXPECT_EQ(status(rules, {.host = host}), 421U) << host;
  }
  EXPECT_EQ(status(AccessRules({}, /*loopback=*/false), {.host = "any.example"}), 200U);
  const AccessRules named({.host_names = {"search.local"}}, /*loopback=*/false);
  EXPECT_EQ(status(named, {.host = "any.example"}), 421U);
}

TEST(AccessRules, OtherOriginsNeedPermission) {
  const AccessRules rules({.allowed_origins = {"https://a.example"}}, /*loopback=*/true);
  const auto of = [&](const char* origin) {
    return status(rules, {.host = "localhost:8080", .origin = origin});
  };
  EXPECT_EQ(of(""), 200U);
  EXPECT_EQ(of("http://localhost:8080"), 200U);
  EXPECT_EQ(of("https://a.example"), 200U);
  EXPECT_EQ(of("http://localhost:9090"), 403U);
  EXPECT_EQ(of("https://b.example"), 403U);
  EXPECT_EQ(of("null"), 403U);
}

TEST(AccessRules, ATokenIsNeededExceptForOpenPaths) {
  const testing::TemporaryFolder folder;
  const auto file = folder.write(
      "tokens", "first-token-of-all\n\n# a long comment line\n  second-token-of-all \n");
  fs::permissions(file, kPrivate);
  const AccessRules rules({.token_file = file}, /*loopback=*/false);
  const auto of = [&](const char* authorization) {
    return status(rules, {.host = "a", .authorization = authorization});
  };
  EXPECT_EQ(of("Bearer first-token-of-all"), 200U);
  EXPECT_EQ(of("bearer second-token-of-all"), 200U);
  for (const auto* wrong : {"", "Bearer ", "Bearer first-token-of-al", "Bearer first-token-of-alll",
                            "first-token-of-all", "Basic first-token-of-all",
                            "Bearer first-token-of-allfirst-token-of-all"}) {
    EXPECT_EQ(of(wrong), 401U) << wrong;
  }
  EXPECT_EQ(of("Bearer # a long comment line"), 401U);
  EXPECT_EQ(status(rules, {.host = "a"}, /*open=*/true), 200U);
}

TEST(AccessRules, TokenFilesArePrivateAndLong) {
  const testing::TemporaryFolder folder;
  const auto refusal = [&](const fs::path& file) {
    return testing::error_of([&] { AccessRules({.token_file = file}, /*loopback=*/true); });
  };
  EXPECT_MENTIONS(refusal(folder / "none"), "none", "cannot be read");
  const auto file = folder.write("tokens", "a-token-that-is-long\nshort\n");
  fs::permissions(file, fs::perms::others_read, fs::perm_options::add);
  EXPECT_MENTIONS(refusal(file), "other users", "chmod 600");
  fs::permissions(file, kPrivate);
  EXPECT_MENTIONS(refusal(file), ":2:", "5 characters", "at least 16");
  const auto empty = folder.write("empty", "\n");
  fs::permissions(empty, kPrivate);
  EXPECT_MENTIONS(refusal(empty), "no token");
}

TEST(AccessRules, RefusesWhatCouldNeverMatch) {
  for (const auto* origin : {"example.org", "https://example.org/", "*", "https://"}) {
    EXPECT_MENTIONS(testing::error_of([&] { AccessRules({.allowed_origins = {origin}}, true); }),
                    "--allow-origin", origin);
  }
  for (const auto* name : {"http://a", "a:80", ""}) {
    EXPECT_MENTIONS(testing::error_of([&] { AccessRules({.host_names = {name}}, true); }),
                    "--host-name");
  }
}

}  // namespace
}  // namespace fastformer::serve
