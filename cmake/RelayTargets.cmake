# How every target of the project is built: one place for warnings, hardening, sanitizers and Qt's strictness.

add_library(relay_build_flags INTERFACE)
target_compile_features(relay_build_flags INTERFACE cxx_std_20)
target_compile_options(relay_build_flags INTERFACE
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion
    $<$<BOOL:${RELAY_WERROR}>:-Werror>
    $<$<CXX_COMPILER_ID:Clang>:-Wthread-safety>
    -fstack-protector-strong)
target_compile_definitions(relay_build_flags INTERFACE
    QT_NO_CAST_FROM_ASCII QT_NO_CAST_TO_ASCII QT_NO_FOREACH QT_NO_KEYWORDS
    QT_NO_URL_CAST_FROM_STRING QT_NO_NARROWING_CONVERSIONS_IN_CONNECT QT_USE_QSTRINGBUILDER
    $<$<NOT:$<CONFIG:Debug>>:_GLIBCXX_ASSERTIONS>)
if(NOT RELAY_SANITIZE)
    # _FORTIFY_SOURCE needs the optimiser, and hides overflows from the address sanitizer.
    target_compile_definitions(relay_build_flags INTERFACE $<$<NOT:$<CONFIG:Debug>>:_FORTIFY_SOURCE=2>)
endif()
target_link_options(relay_build_flags INTERFACE -Wl,-z,relro,-z,now)

if(RELAY_SANITIZE)
    target_compile_options(relay_build_flags INTERFACE
        -fsanitize=${RELAY_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all -O1
        # Opens a pipe for each check, and takes its want of descriptors for a broken object.
        -fno-sanitize=vptr
        # gcc 12 sees uninitialised members of std::variant through the checks that it adds itself.
        $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
    target_link_options(relay_build_flags INTERFACE -fsanitize=${RELAY_SANITIZE})
endif()

include(CheckPIESupported)
check_pie_supported()

if(RELAY_LTO)
    include(CheckIPOSupported)
    check_ipo_supported()
    set(CMAKE_INTERPROCEDURAL_OPTIMIZATION ON)
    # The installed static libraries must also link into programs that are built without LTO.
    add_compile_options(-ffat-lto-objects)
    # With LTO, gcc takes a program's use of QCoreApplication::self for a copy of its own (a copy relocation), which Qt's
    # library never sets: qApp is null. Qt's data must be reached through the GOT.
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
        add_compile_options(-mno-direct-extern-access)
        # Qt's qhash.h divides by a size that gcc 12 then believes may be negative.
        add_link_options(-mno-direct-extern-access -Wno-alloc-size-larger-than)
    endif()
endif()

# relay_layer(<name> SOURCES ... [DEPENDS <lower layers>] [LIBRARIES ...] [PRIVATE_LIBRARIES ...])
#
# One static library per folder of lib/. DEPENDS is the layer diagram of lib/README.md; tests/layers holds the #include
# lines to it.
function(relay_layer name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;DEPENDS;LIBRARIES;PRIVATE_LIBRARIES")
    add_library(relay_${name} STATIC ${arg_SOURCES})
    add_library(Relay::${name} ALIAS relay_${name})
    set_target_properties(relay_${name} PROPERTIES EXPORT_NAME ${name} AUTOMOC ON)
    target_include_directories(relay_${name} PUBLIC
        $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/lib>
        $<BUILD_INTERFACE:${PROJECT_BINARY_DIR}/generated>
        $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/relay>)
    list(TRANSFORM arg_DEPENDS PREPEND relay_)
    target_link_libraries(relay_${name}
        PUBLIC ${arg_DEPENDS} ${arg_LIBRARIES}
        PRIVATE $<BUILD_INTERFACE:relay_build_flags> ${arg_PRIVATE_LIBRARIES})
    set_property(GLOBAL APPEND PROPERTY RELAY_LAYERS ${name})
endfunction()

# relay_program(<name> SOURCES ... LIBRARIES ...)
function(relay_program name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LIBRARIES")
    add_executable(${name} ${arg_SOURCES})
    set_target_properties(${name} PROPERTIES AUTOMOC ON)
    target_link_libraries(${name} PRIVATE ${arg_LIBRARIES} relay_build_flags)
    install(TARGETS ${name} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endfunction()

# relay_test(<layer> <name> [SOURCES ...] LIBRARIES ... [LABELS ...] [TIMEOUT seconds])
#
# tests/<layer>/tst_<name>.cpp as a QTest program, run by ctest as <layer>.<name>. The label "threads" is for what the
# thread sanitizer has to see; the target thread_tests builds those.
add_custom_target(thread_tests)
function(relay_test layer name)
    cmake_parse_arguments(PARSE_ARGV 2 arg "" "TIMEOUT" "SOURCES;LIBRARIES;LABELS")
    if(NOT arg_TIMEOUT)
        set(arg_TIMEOUT 120)
    endif()
    add_executable(tst_${layer}_${name} tst_${name}.cpp ${arg_SOURCES})
    set_target_properties(tst_${layer}_${name} PROPERTIES AUTOMOC ON)
    target_link_libraries(tst_${layer}_${name}
        PRIVATE ${arg_LIBRARIES} Qt6::Test relay_build_flags)
    add_test(NAME ${layer}.${name} COMMAND tst_${layer}_${name})
    if(threads IN_LIST arg_LABELS)
        add_dependencies(thread_tests tst_${layer}_${name})
    endif()
    set_tests_properties(${layer}.${name} PROPERTIES TIMEOUT ${arg_TIMEOUT} LABELS "${layer};${arg_LABELS}")
endfunction()
