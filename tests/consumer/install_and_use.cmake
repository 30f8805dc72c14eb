# Installs a build into a fresh prefix and moves that. Nothing in it may name the source tree or the
# build. Then builds and runs tests/consumer and the installed examples with the moved package.
#
#   cmake -DBUILD=<build folder> -DSOURCE=<source folder> -DWORK=<scratch folder>
#         [-DTORCH_PREFIX=<LibTorch>] [-DCXX_FLAGS=<flags>] [-DEXAMPLES_TEST=<test of the examples>]
#         -P install_and_use.cmake
foreach(required BUILD SOURCE WORK)
  if(NOT ${required})
    message(FATAL_ERROR "install_and_use: -D${required}=<folder> is missing")
  endif()
endforeach()

file(REMOVE_RECURSE "${WORK}")
function(step)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE failed OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(failed)
    list(JOIN ARGN " " command)
    message(FATAL_ERROR "failed: ${command}\n${output}")
  endif()
  set(output "${output}" PARENT_SCOPE)
endfunction()

function(build source)
  get_filename_component(name "${source}" NAME)
  step("${CMAKE_COMMAND}" -S "${source}" -B "${WORK}/${name}" -G Ninja
    -DCMAKE_BUILD_TYPE=Release "-DCMAKE_PREFIX_PATH=${prefix}"
    "-DFASTFORMER_TORCH_PREFIX=${TORCH_PREFIX}" "-DCMAKE_CXX_FLAGS=${CXX_FLAGS}")
  step("${CMAKE_COMMAND}" --build "${WORK}/${name}")
endfunction()

step("${CMAKE_COMMAND}" --install "${BUILD}" --prefix "${WORK}/first")
set(prefix "${WORK}/moved")
file(RENAME "${WORK}/first" "${prefix}")

file(GLOB_RECURSE package_files "${prefix}/*.cmake" "${prefix}/*.h")
foreach(file IN LISTS package_files)
  file(READ "${file}" content)
  foreach(place "${SOURCE}" "${BUILD}" "${WORK}/first")
    string(FIND "${content}" "${place}" position)
    if(NOT position EQUAL -1)
      message(FATAL_ERROR "${file} names ${place}, so the package cannot be moved")
    endif()
  endforeach()
endforeach()

build("${CMAKE_CURRENT_LIST_DIR}")
step("${WORK}/consumer/consumer")
message(STATUS "${output}")

build("${CMAKE_CURRENT_LIST_DIR}/runtime")
step("${WORK}/runtime/runtime_consumer")
message(STATUS "${output}")
file(GLOB_RECURSE shared_library "${prefix}/*/libfastformer.so")
file(GET_RUNTIME_DEPENDENCIES EXECUTABLES "${WORK}/runtime/runtime_consumer"
  "${prefix}/bin/fastformer-run" LIBRARIES "${shared_library}"
  RESOLVED_DEPENDENCIES_VAR runtime_libraries)
if(runtime_libraries MATCHES "torch")
  message(FATAL_ERROR "the runtime loads LibTorch: ${runtime_libraries}")
endif()

# The C interface, found by pkg-config: a C compiler accepts its header, and its messages arrive.
file(GLOB_RECURSE pkgconfig_file "${prefix}/*/fastformer.pc")
get_filename_component(pkgconfig "${pkgconfig_file}" DIRECTORY)
get_filename_component(libraries "${pkgconfig}" DIRECTORY)
step(sh -c "PKG_CONFIG_PATH='${pkgconfig}' && export PKG_CONFIG_PATH &&
  cc -std=c11 -Wall -Wextra -Werror '${prefix}/share/fastformer/examples/classify.c' \
    $(pkg-config --cflags --libs fastformer) -o '${WORK}/classify' &&
  ! LD_LIBRARY_PATH='${libraries}' '${WORK}/classify' '${WORK}/none' </dev/null")
message(STATUS "${output}")
string(FIND "${output}" "none is not a model directory" position)
if(position EQUAL -1)
  message(FATAL_ERROR "the C interface does not say what is wrong: ${output}")
endif()

set(program "${prefix}/bin/fastformer")
if(EXISTS "${program}")
  file(GET_RUNTIME_DEPENDENCIES EXECUTABLES "${program}" RESOLVED_DEPENDENCIES_VAR libraries)
  foreach(library IN LISTS libraries)
    string(FIND "${library}" "${SOURCE}/.venv" position)
    if(NOT position EQUAL -1)
      message(FATAL_ERROR "${program} loads ${library} from the source tree")
    endif()
  endforeach()
  step("${program}" --version)
  message(STATUS "${output}")
  build("${prefix}/share/fastformer/examples")
  if(EXAMPLES_TEST)
    step("${CMAKE_COMMAND}" -E env "FASTFORMER_TEST_EXAMPLES=${WORK}/examples/bin/examples"
      "FASTFORMER_TEST_PROGRAM=${program}" "${EXAMPLES_TEST}" "--gtest_filter=Examples.*")
    message(STATUS "${output}")
  endif()
endif()
