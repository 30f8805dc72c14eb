# One INTERFACE target carries the flags that every module compiles with.
if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Build type" FORCE)
endif()
option(FASTFORMER_PRECOMPILED_HEADERS "Precompile LibTorch's headers" ON)

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM AND PROJECT_IS_TOP_LEVEL)
  set(CMAKE_CXX_COMPILER_LAUNCHER
      "${CMAKE_COMMAND};-E;env;CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime;${CCACHE_PROGRAM}")
endif()

add_library(fastformer_flags INTERFACE)
target_compile_features(fastformer_flags INTERFACE cxx_std_20)
target_compile_options(fastformer_flags INTERFACE
  $<BUILD_INTERFACE:-Wall;-Wextra;-Wshadow;-Wnon-virtual-dtor;-Woverloaded-virtual>
  # Designated initialisers leave the rest to its default, on purpose.
  $<BUILD_INTERFACE:-Wno-missing-field-initializers>
  # GCC 12 sees overlaps and overflows in `"text" + std::string` that cannot be (its bug 105651).
  $<BUILD_INTERFACE:$<$<CXX_COMPILER_ID:GNU>:-Wno-restrict;-Wno-stringop-overflow>>
  # Clang warns of what std::stable_sort of libstdc++ 12 uses itself.
  $<BUILD_INTERFACE:$<$<CXX_COMPILER_ID:Clang>:-Wno-deprecated-declarations>>
  $<BUILD_INTERFACE:$<$<BOOL:${FASTFORMER_WARNINGS_AS_ERRORS}>:-Werror>>
  # And reads beyond a string in what it inlines from nlohmann-json; it looks for them from -O2 on, and
  # which it sees changes with the length of a path. It warns of them, but stops at none.
  $<BUILD_INTERFACE:$<$<CXX_COMPILER_ID:GNU>:-Wno-error=array-bounds>>
  $<BUILD_INTERFACE:$<$<AND:$<CXX_COMPILER_ID:GNU>,$<BOOL:${CCACHE_PROGRAM}>>:-fpch-preprocess>>)
# Where every CPU has a multiply-add, GCC would use it for each sum of a product, which rounds otherwise
# than on x86.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
  target_compile_options(fastformer_flags INTERFACE -ffp-contract=off)
endif()
if(FASTFORMER_SANITIZE)
  target_compile_options(fastformer_flags INTERFACE
    -fsanitize=${FASTFORMER_SANITIZE} -fno-omit-frame-pointer
    # With sanitizers GCC takes the optionals inside LibTorch's headers for uninitialised.
    $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>
    # In files with LibTorch's headers these checks take half of the time to compile; a null pointer
    # that is used is found by the address sanitizer too.
    $<$<BOOL:$<TARGET_PROPERTY:FASTFORMER_TORCH_HEADERS>>:-fno-sanitize=null$<COMMA>alignment$<COMMA>vptr>)
  target_link_options(fastformer_flags INTERFACE -fsanitize=${FASTFORMER_SANITIZE})
endif()
find_program(MOLD_PROGRAM mold)
if(MOLD_PROGRAM AND PROJECT_IS_TOP_LEVEL)
  target_link_options(fastformer_flags INTERFACE $<BUILD_INTERFACE:-fuse-ld=mold>)
endif()
