# Filled below once the rooms exist: find_package(fastformer) for other projects.
