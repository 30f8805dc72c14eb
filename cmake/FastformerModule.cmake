# fastformer_module(<name> [TORCH] [NOT_INSTALLED] DEPENDS <targets>...)
#
# A module is fastformer/<name>/ with its folders, the target fastformer::<name> and the namespace of
# that name. It can include and link only what DEPENDS lists and what that needs in turn: its headers
# are reached through a folder of links of its own, so that those of other modules are not found.
# The target fastformer_<name>_verify_interface_header_sets compiles each header alone; what is in a
# header named -inl.h belongs to the sources of its folder.
# TORCH gives LibTorch's headers and libraries.
# NOT_INSTALLED: a part of the program or of the studies, not of the library.
function(fastformer_module name)
  cmake_parse_arguments(module "TORCH;NOT_INSTALLED" "" "DEPENDS" ${ARGN})
  set(directory "${PROJECT_SOURCE_DIR}/fastformer/${name}")
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${directory}/*.cc")
  list(FILTER sources EXCLUDE REGEX "/main\\.cc$")

  set(include_directory "${PROJECT_BINARY_DIR}/modules/${name}")
  file(MAKE_DIRECTORY "${include_directory}/fastformer")
  file(CREATE_LINK "${directory}" "${include_directory}/fastformer/${name}" SYMBOLIC)
  file(GLOB_RECURSE headers FOLLOW_SYMLINKS CONFIGURE_DEPENDS "${include_directory}/*.h")
  list(FILTER headers EXCLUDE REGEX "-inl\\.h$")

  set(target fastformer_${name})
  add_library(${target} STATIC ${sources})
  add_library(fastformer::${name} ALIAS ${target})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${name} POSITION_INDEPENDENT_CODE ON
    VERIFY_INTERFACE_HEADER_SETS ON)
  target_sources(${target} PUBLIC FILE_SET HEADERS BASE_DIRS "${include_directory}" FILES ${headers})
  target_link_libraries(${target} PUBLIC ${module_DEPENDS} PRIVATE $<BUILD_INTERFACE:fastformer_flags>)
  target_compile_features(${target} PUBLIC cxx_std_20)
  if(module_TORCH)
    target_link_libraries(${target} PUBLIC fastformer_torch)
    fastformer_reuse_torch_headers(${target})
  endif()
  if(module_NOT_INSTALLED)
    return()
  endif()
  set_property(GLOBAL APPEND PROPERTY FASTFORMER_MODULES ${target})
endfunction()
