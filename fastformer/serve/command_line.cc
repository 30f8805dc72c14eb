#include "fastformer/serve/command_line.h"

#include <algorithm>
#include <iostream>
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
    items[name] = file;
  }
  return items;
}

void log_line(const std::string& line) { std::cerr << base::excerpt(line, 4000) + "\n"; }

}  // namespace

void add_serve_options(CLI::App& command, ServeFlags& flags, bool with_items) {
  auto& server = flags.server;
  command
      .add_option("models", flags.models,
                  "Model directories, as DIRECTORY or NAME=DIRECTORY; NAME is part of the URL")
      ->required();
  if (with_items) {
    command.add_option("--items", flags.items,
                       "The items of a recommender, as FILE or NAME=FILE: a file in the format "
                       "that it was trained with");
  }
  command.add_option("--address", server.address, "IP address to listen on")->capture_default_str();
  command.add_option("--port", server.port, "Port to listen on; 0: any free port")
      ->capture_default_str();
  command.add_option("--token-file", server.token_file,
                     "File of bearer tokens, one per line; a request needs one of them");
  command.add_option("--host-name", server.host_names,
                     "Another name by which clients call a server on a loopback address");
  command.add_option("--allow-origin", server.allowed_origins,
                     "Origin whose pages may call the server, such as https://example.org");
  command.add_option("--access-log", server.access_log,
                     "File to append one JSON line per request to; -: standard error");
  command.add_option("--workers", server.workers, "Threads that compute; 0: one per usable core")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  command.add_option("--queue", server.queue, "Requests that may wait; more are refused with 429")
      ->check(CLI::Range(std::size_t{1}, std::size_t{1} << 20U))
      ->capture_default_str();
  command
      .add_option("--batch-tokens", server.batch_tokens,
                  "Requests that wait are computed together, about so many tokens at a time")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1} << 30))
      ->capture_default_str();
  command
      .add_option_function<std::int64_t>(
          "--batch-wait",
          [&server](std::int64_t wait) { server.batch_wait = std::chrono::microseconds(wait); },
          "Microseconds that a batch waits for more requests")
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{1'000'000}))
      ->default_str("0");
  command.add_option("--max-body", server.body_bytes, "Largest body of a request")
      ->transform(CLI::AsSizeValue(/*kb_is_1000=*/true))
      ->default_str("8MB");
  command.add_option("--max-texts", server.request.inputs, "Most texts or users of a request")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command.add_option("--max-text", server.request.text_bytes, "Largest text")
      ->transform(CLI::AsSizeValue(/*kb_is_1000=*/true))
      ->default_str("1MB");
  command.add_option("--max-connections", server.connections, "Most open connections")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  const auto seconds = [&](const char* name, std::chrono::seconds& value, const char* what) {
    command
        .add_option_function<std::int64_t>(
            name, [&value](std::int64_t count) { value = std::chrono::seconds(count); }, what)
        ->check(CLI::Range(std::int64_t{1}, std::int64_t{86'400}))
        ->default_str(std::to_string(value.count()));
  };
  seconds("--idle-time", server.idle_time, "Seconds that a connection may be idle");
  seconds("--header-time", server.header_time, "Seconds in which all headers must arrive");
  seconds("--body-time", server.body_time,
          "Seconds in which a body must arrive, and in which a client must read an answer");
  seconds("--drain-time", server.drain_time,
          "Seconds after SIGTERM in which accepted requests are answered");
}

void serve(const ServeFlags& flags, const DirectoryLoader& load) {
  std::vector<std::pair<std::string, fs::path>> directories;
  for (const auto& argument : flags.models) {
    directories.push_back(split(argument, name_of(argument)));
  }
  const auto items = items_of(flags, directories.size() == 1 ? directories[0].first : "");
  for (const auto& [name, file] : items) {
    if (std::ranges::count(directories, name, &std::pair<std::string, fs::path>::first) == 0) {
      throw std::invalid_argument("--items names the model '" + base::excerpt(name) +
                                  "', which is not served");
    }
  }
  ModelTable models;
  for (const auto& [name, directory] : directories) {
    const auto file = items.contains(name) ? items.at(name) : fs::path();
    models.add(name, [directory = directory, file, load] { return load(directory, file); });
  }
  Server server(models, flags.server, log_line);
  for (const auto& name : models.names()) {
    log_line("model " + name + ": " + models.find(name)->kind());
  }
  log_line("listening on " + server.url());
  server.run();
}

}  // namespace fastformer::serve
