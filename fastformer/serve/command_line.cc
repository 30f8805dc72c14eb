#include "fastformer/serve/command_line.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <stdexcept>
#include <utility>

#include "fastformer/base/printable.h"
#include "fastformer/serve/server.h"

namespace fastformer::serve {
namespace {

namespace fs = std::filesystem;

// "runs/ag_news/model" is named ag_news.
std::string name_of(const fs::path& directory) {
  const auto path = fs::absolute(directory).lexically_normal();
  const auto folder = path.has_filename() ? path : path.parent_path();
  return (folder.filename() == "model" ? folder.parent_path() : folder).filename().string();
}

// "NAME=PATH", or a path whose name is `fallback`.
std::pair<std::string, fs::path> split(const std::string& argument, const std::string& fallback) {
  if (argument.empty() || argument.ends_with('=')) {
    throw std::invalid_argument("the argument '" + base::excerpt(argument) +
                                "' names nothing; expected a path, or NAME=PATH");
  }
  const auto equals = argument.find('=');
  if (equals == std::string::npos || fs::exists(argument)) return {fallback, argument};
  return {argument.substr(0, equals), argument.substr(equals + 1)};
}

// The files of items by the name of their model.
std::map<std::string, fs::path> items_of(const ServeFlags& flags, const std::string& only_model) {
  std::map<std::string, fs::path> items;
  for (const auto& argument : flags.items) {
    auto [name, file] = split(argument, only_model);
    if (name.empty()) {
      throw std::invalid_argument("--items " + base::excerpt(argument) +
                                  " does not say for which of the models; expected NAME=FILE");
    }
    if (!items.emplace(name, file).second) {
      throw std::invalid_argument("--items names two files for the model '" + base::excerpt(name) +
                                  "'; give one");
    }
  }
  return items;
}

// Threads may call it at the same time.
void log_line(const std::string& line) {
  ::dprintf(STDERR_FILENO, "%s\n", base::excerpt(line, 4000).c_str());
}

}  // namespace

void add_serve_options(CLI::App& command, ServeFlags& flags, bool with_items) {
  auto& server = flags.server;
  command
      .add_option("models", flags.models,
                  "Model directories, as DIRECTORY or NAME=DIRECTORY; NAME is part of the URL")
      ->required();
  if (with_items) {
    auto* items =
        command.add_option("--items", flags.items,
                           "The items of a recommender, as FILE or NAME=FILE: a file in the format "
                           "that it was trained with");
    command
        .add_flag("--approximate", flags.approximate,
                  "Compare users with the items near them instead of with all: for more than "
                  "about 100,000 items; finds nearly all of the best ones")
        ->needs(items);
  }
  command.add_option("--address", server.address, "IP address to listen on")->capture_default_str();
  command.add_option("--port", server.port, "Port to listen on; 0: any free port")
      ->check(CLI::Range(0, 65'535))
      ->capture_default_str();
  command
      .add_option(
          "--token-file", server.token_file,
          "File of bearer tokens, one per line, of at least 16 characters; requests need one")
      ->check(CLI::ExistingFile);
  command.add_option("--host-name", server.host_names,
                     "Host name to accept besides localhost and addresses");
  command.add_option("--allow-origin", server.allowed_origins,
                     "Origin whose pages may call the server, such as https://example.org");
  command.add_option("--access-log", server.access_log,
                     "Append one JSON line per request to this file; -: standard error");
  command.add_option("--workers", server.workers, "Threads that compute; 0: one per usable core")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  command.add_option("--queue", server.queue, "Most waiting requests; others get status 429")
      ->check(CLI::Range(std::size_t{1}, std::size_t{1} << 20U))
      ->capture_default_str();
  command
      .add_option("--batch-tokens", server.batch_tokens,
                  "Approximate number of tokens in a batch of requests")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1} << 30))
      ->capture_default_str();
  command
      .add_option_function<std::int64_t>(
          "--batch-wait",
          [&server](std::int64_t wait) { server.batch_wait = std::chrono::microseconds(wait); },
          "Microseconds that a batch waits for more requests")
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{1'000'000}))
      ->default_str("0");
  const auto add_size = [&](const char* name, auto& value, const char* what) {
    return command.add_option(name, value, what)
        ->transform(CLI::AsSizeValue(/*kb_is_1000=*/true))
        ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 40U));
  };
  add_size("--max-body", server.body_bytes, "Largest body of a request")->default_str("8MB");
  command
      .add_option("--max-texts", server.request.inputs,
                  "Maximum number of texts or users per request")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  add_size("--max-text", server.request.text_bytes, "Largest text")->default_str("1MB");
  command.add_option("--max-connections", server.connections, "Maximum number of connections")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  const auto seconds = [&](const char* name, std::chrono::seconds& value, const char* what) {
    command
        .add_option_function<std::int64_t>(
            name, [&value](std::int64_t count) { value = std::chrono::seconds(count); }, what)
        ->check(CLI::Range(std::int64_t{1}, std::int64_t{86'400}))
        ->default_str(std::to_string(value.count()));
  };
  seconds("--idle-time", server.idle_time,
          "Time limit between the requests of a connection, in seconds");
  seconds("--header-time", server.header_time,
          "Time limit for the headers of a request, in seconds");
  seconds("--body-time", server.body_time,
          "Time limit for a body, and for a client to read an answer, in seconds");
  seconds("--drain-time", server.drain_time,
          "Time limit after SIGTERM for answering accepted requests, in seconds");
}

void serve(const ServeFlags& flags, const DirectoryLoader& load) {
  std::vector<std::pair<std::string, fs::path>> directories;
  for (const auto& argument : flags.models) {
    auto [name, directory] = split(argument, "");
    directories.emplace_back(name.empty() ? name_of(directory) : name, directory);
  }
  const auto items = items_of(flags, directories.size() == 1 ? directories[0].first : "");
  for (const auto& [name, file] : items) {
    if (std::ranges::count(directories, name, &std::pair<std::string, fs::path>::first) == 0) {
      throw std::invalid_argument("--items names the model '" + base::excerpt(name) +
                                  "', which is not served");
    }
  }
  ModelTable models;
  Server server(models, flags.server, log_line);
  for (const auto& [name, directory] : directories) {
    const ServedItems served{items.contains(name) ? items.at(name) : fs::path(), flags.approximate};
    models.add(name, [directory = directory, served, load] { return load(directory, served); });
  }
  for (const auto& name : models.names()) {
    log_line("model " + name + ": " + models.find(name)->kind());
  }
  log_line("listening on " + server.url());
  server.run();
}

}  // namespace fastformer::serve
