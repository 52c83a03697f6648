#include "options.h"
#include "report.h"
#include "run.h"

#include <csignal>
#include <cstdio>
#include <exception>

namespace relay::bench {

namespace {

constexpr int kClean = 0;
constexpr int kFindings = 1;
constexpr int kUsage = 2;

std::atomic<bool> interrupted = false; // a signal handler reaches nothing else
static_assert(std::atomic<bool>::is_always_lock_free);

void onInterrupt(int)
{
    interrupted = true;
}

int complain(const std::string &message, int status)
{
    std::fprintf(stderr, "relay-bench: %s\n", message.c_str());
    return status;
}

int bench(std::span<const char *const> arguments)
{
    const auto parsed = parseOptions(arguments);
    if (const auto *problem = std::get_if<Problem>(&parsed)) {
        return complain(problem->message, kUsage);
    }
    if (const auto *information = std::get_if<Information>(&parsed)) {
        std::fputs(information->text.c_str(), stdout);
        return kClean;
    }
    const auto &options = std::get<Options>(parsed);

    std::signal(SIGINT, onInterrupt);
    std::signal(SIGTERM, onInterrupt);
    std::signal(SIGHUP, onInterrupt); // a closed terminal
    Run run(options, interrupted);
    const auto outcome = run.execute();
    if (const auto *problem = std::get_if<Problem>(&outcome)) {
        return complain(problem->message, kFindings);
    }
    const auto &result = std::get<RunResult>(outcome);
    const std::string report =
        options.isJson ? jsonReport(options, result) + "\n" : textReport(options, result);
    std::fputs(report.c_str(), stdout);
    return result.isClean() ? kClean : kFindings;
}

} // namespace

} // namespace relay::bench

int main(int argc, char **argv)
{
    using namespace relay::bench; // NOLINT(google-build-using-namespace): all of main is of it
    try {
        return bench(std::span<const char *const>(argv, static_cast<std::size_t>(argc)).subspan(1));
    } catch (const std::exception &exception) {
        return complain(exception.what(), kFindings); // no memory, or no thread to be had
    }
}
