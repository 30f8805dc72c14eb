# Installs a build into a fresh prefix, then configures, builds and runs tests/consumer against it.
#
#   cmake -DBUILD=<build folder> -DWORK=<scratch folder> [-DTORCH_PREFIX=<LibTorch>]
#         [-DCXX_FLAGS=<flags>] -P install_and_use.cmake
foreach(required BUILD WORK)
  if(NOT ${required})
    message(FATAL_ERROR "install_and_use: -D${required}=<folder> is missing")
  endif()
endforeach()

file(REMOVE_RECURSE "${WORK}")
function(step)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE failed OUTPUT_VARIABLE said ERROR_VARIABLE said)
  if(failed)
    list(JOIN ARGN " " command)
    message(FATAL_ERROR "failed: ${command}\n${said}")
  endif()
  set(said "${said}" PARENT_SCOPE)
endfunction()

step("${CMAKE_COMMAND}" --install "${BUILD}" --prefix "${WORK}/prefix")
step("${CMAKE_COMMAND}" -S "${CMAKE_CURRENT_LIST_DIR}" -B "${WORK}/build" -G Ninja
  -DCMAKE_BUILD_TYPE=Release "-DCMAKE_PREFIX_PATH=${WORK}/prefix"
  "-DFASTFORMER_TORCH_PREFIX=${TORCH_PREFIX}" "-DCMAKE_CXX_FLAGS=${CXX_FLAGS}")
step("${CMAKE_COMMAND}" --build "${WORK}/build")
step("${WORK}/build/consumer")
message(STATUS "${said}")
if(EXISTS "${WORK}/prefix/bin/fastformer")
  step("${WORK}/prefix/bin/fastformer" --version)
  message(STATUS "${said}")
endif()
