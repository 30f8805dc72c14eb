# fastformer_room(<name> [TORCH] [TORCH_LIBRARIES] DEPENDS <targets>...)
#
# A room is fastformer/<name>/, the target fastformer::<name> and the namespace of that name. What
# DEPENDS does not list, the room cannot include or link: this is how the order of rooms is held.
# TORCH gives LibTorch's headers and libraries, TORCH_LIBRARIES only the libraries (their BLAS).
function(fastformer_room name)
  cmake_parse_arguments(room "TORCH;TORCH_LIBRARIES" "" "DEPENDS" ${ARGN})
  set(directory "${PROJECT_SOURCE_DIR}/fastformer/${name}")
  file(GLOB sources CONFIGURE_DEPENDS "${directory}/*.cc")
  list(FILTER sources EXCLUDE REGEX "/main\\.cc$")
  file(GLOB headers CONFIGURE_DEPENDS "${directory}/*.h")

  set(target fastformer_${name})
  add_library(${target} STATIC ${sources})
  add_library(fastformer::${name} ALIAS ${target})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${name} POSITION_INDEPENDENT_CODE ON)
  target_include_directories(${target} PUBLIC
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_link_libraries(${target} PUBLIC ${room_DEPENDS} PRIVATE $<BUILD_INTERFACE:fastformer_flags>)
  target_compile_features(${target} PUBLIC cxx_std_20)
  if(room_TORCH)
    target_link_libraries(${target} PUBLIC fastformer_torch)
    fastformer_reuse_torch_headers(${target})
  elseif(room_TORCH_LIBRARIES)
    target_link_libraries(${target} PUBLIC fastformer_torch_libraries)
  endif()
  set_property(GLOBAL APPEND PROPERTY FASTFORMER_ROOMS ${target})
  install(FILES ${headers} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/fastformer/${name})
endfunction()
