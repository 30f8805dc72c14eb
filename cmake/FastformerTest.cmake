# fastformer_test(<room>): one GoogleTest program of tests/<room>/*_test.cc, labelled unit.
# A test whose suite name ends in "Slow" is labelled slow instead.
include(GoogleTest)
function(fastformer_test room)
  file(GLOB sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/tests/${room}/*_test.cc")
  if(NOT sources)
    return()
  endif()
  set(target ${room}_test)
  add_executable(${target} ${sources})
  target_include_directories(${target} PRIVATE "${PROJECT_SOURCE_DIR}/tests")
  target_link_libraries(${target} PRIVATE fastformer::${room} fastformer_flags GTest::gtest_main)
  target_compile_definitions(${target} PRIVATE
    FASTFORMER_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  if(TARGET fastformer_torch_pch AND NOT room MATCHES "^(base|text|data|kernels)$")
    fastformer_reuse_torch_headers(${target})
  endif()
  if(room STREQUAL "cli")  # its tests run the program as a user does
    add_dependencies(${target} fastformer_program fastformer_example)
    target_compile_definitions(${target} PRIVATE
      FASTFORMER_PROGRAM="$<TARGET_FILE:fastformer_program>"
      FASTFORMER_EXAMPLE="$<TARGET_FILE:fastformer_example>")
  endif()
  gtest_discover_tests(${target} TEST_FILTER "-*Slow.*" TEST_PREFIX "${room}."
    PROPERTIES LABELS unit DISCOVERY_TIMEOUT 60 TIMEOUT 120)
  gtest_discover_tests(${target} TEST_FILTER "*Slow.*" TEST_PREFIX "${room}."
    PROPERTIES LABELS slow DISCOVERY_TIMEOUT 60 TIMEOUT 900)
endfunction()
