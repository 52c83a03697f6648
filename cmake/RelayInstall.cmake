# What `cmake --install` installs: programs (relay_program), the library with its CMake package, relayd's manual page, the
# systemd unit and a configuration; gui/ adds what belongs to the dashboard.

include(CMakePackageConfigHelpers)

# The whole library as one target, under the same name in this tree and in the installed package.
add_library(relay INTERFACE)
add_library(Relay::relay ALIAS relay)
get_property(relay_layers GLOBAL PROPERTY RELAY_LAYERS)
set(relay_layer_targets ${relay_layers})
list(TRANSFORM relay_layer_targets PREPEND relay_)
target_link_libraries(relay INTERFACE ${relay_layer_targets})
target_include_directories(relay INTERFACE $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)

# The headers, by layer, as they include each other: <relay/hub/hub.h>, and "hub/hub.h" for the library's own.
foreach(layer ${relay_layers})
    install(DIRECTORY ${PROJECT_SOURCE_DIR}/lib/${layer}
        DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/relay
        FILES_MATCHING PATTERN "*.h")
endforeach()
install(FILES ${PROJECT_BINARY_DIR}/generated/base/version.h
    DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/relay/base)

# find_package(Relay): targets Relay::relay, and Relay::<layer> for who wants less.
set(relay_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/Relay)
install(TARGETS relay ${relay_layer_targets}
    EXPORT RelayTargets
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT RelayTargets NAMESPACE Relay:: DESTINATION ${relay_package_dir})
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/RelayConfig.cmake.in
    ${PROJECT_BINARY_DIR}/RelayConfig.cmake
    INSTALL_DESTINATION ${relay_package_dir})
# Before 1.0 a minor version may change the interface.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/RelayConfigVersion.cmake
    COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/RelayConfig.cmake ${PROJECT_BINARY_DIR}/RelayConfigVersion.cmake
    DESTINATION ${relay_package_dir})

# What an operator needs. The unit reads the system's configuration, which an installation never overwrites: the sample
# goes to the documentation.
set(RELAY_CONFIG_FILE /etc/relay/relay.yaml)
configure_file(${PROJECT_SOURCE_DIR}/resources/relayd.service.in ${PROJECT_BINARY_DIR}/relayd.service @ONLY)
configure_file(${PROJECT_SOURCE_DIR}/resources/relayd.1.in ${PROJECT_BINARY_DIR}/relayd.1 @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/relayd.service DESTINATION lib/systemd/system)
install(FILES ${PROJECT_BINARY_DIR}/relayd.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES ${PROJECT_SOURCE_DIR}/relay.yaml ${PROJECT_SOURCE_DIR}/docs/configuration.md
              ${PROJECT_SOURCE_DIR}/LICENSE
    DESTINATION ${CMAKE_INSTALL_DOCDIR})
