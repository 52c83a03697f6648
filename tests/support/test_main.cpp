#include "support/test_main.h"

#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace relay::test {
namespace {

/// Some tests hold both ends of more than a thousand connections in one process.
constexpr rlim_t kNeededDescriptors = 4096;

std::map<std::string, TestRunner> &testsOfThisProgram()
{
    static std::map<std::string, TestRunner> tests;
    return tests;
}

/// "/path/tst_outbox.cpp" -> "outbox", "bench_net.cpp" -> "bench_net".
std::string nameOf(std::string_view file)
{
    file.remove_prefix(std::min(file.rfind('/') + 1, file.size()));
    file.remove_suffix(file.size() - std::min(file.rfind('.'), file.size()));
    constexpr std::string_view kPrefix = "tst_";
    if (file.starts_with(kPrefix)) {
        file.remove_prefix(kPrefix.size());
    }
    return std::string(file);
}

/// A login's soft limit is usually 1,024; raising it to the hard limit needs no privilege.
void raiseDescriptorLimit()
{
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return;
    }
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_max < kNeededDescriptors) {
        std::fprintf(stderr,
                     "This process may open %llu files at most (`ulimit -Hn`). Some tests need "
                     "%llu and will fail.\n",
                     static_cast<unsigned long long>(limit.rlim_max),
                     static_cast<unsigned long long>(kNeededDescriptors));
    }
}

int runAll(int argc, char **argv)
{
    int failures = 0;
    for (const auto &[name, run] : testsOfThisProgram()) {
        failures += run(argc, argv);
    }
    return std::min(failures, 127);
}

int runOne(std::string_view name, int argc, char **argv)
{
    const auto test = testsOfThisProgram().find(std::string(name));
    if (test != testsOfThisProgram().end()) {
        return test->second(argc, argv);
    }
    std::fprintf(stderr, "There is no test class '%s' here, only:\n", std::string(name).c_str());
    for (const auto &[known, run] : testsOfThisProgram()) {
        std::fprintf(stderr, "  %s\n", known.c_str());
    }
    return 2;
}

} // namespace

bool registerTest(const char *file, TestRunner run)
{
    return testsOfThisProgram().emplace(nameOf(file), run).second;
}

} // namespace relay::test

int main(int argc, char **argv)
{
    relay::test::raiseDescriptorLimit();
    const bool isNamed = argc > 1 && argv[1][0] != '-';
    if (!isNamed) {
        return relay::test::runAll(argc, argv);
    }
    // QTest reads the arguments that follow the name.
    std::vector<char *> rest{argv[0]};
    rest.insert(rest.end(), argv + 2, argv + argc);
    rest.push_back(nullptr);
    return relay::test::runOne(argv[1], argc - 1, rest.data());
}
