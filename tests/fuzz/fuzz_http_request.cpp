#include "wire/http_request.h"
#include "wire/http_request_reader.h"

#include "property.h"

#include <QRandomGenerator>

#include <functional>

using namespace relay;

namespace {

using Status = HttpRequestReader::Status;

/// Small, so that small inputs reach them.
constexpr HttpLimits kLimits{.headBytes = 512, .fields = 8};
constexpr qint64 kMaxBodyBytes = 64;

struct Request
{
    HttpRequest head;
    bool hasBody = false;
    QByteArray body;
};

/// What a connection makes of its bytes.
struct Reading
{
    QList<Request> requests;
    int failure = 0;
    QByteArray problem;
    bool isIdle = true;
};

bool isSame(const HttpRequest &a, const HttpRequest &b)
{
    const auto isSameField = [](const HttpField &x, const HttpField &y) {
        return x.name == y.name && x.value == y.value;
    };
    return a.method == b.method && a.target == b.target && a.version == b.version
           && a.keepAlive == b.keepAlive
           && std::equal(a.fields.begin(), a.fields.end(), b.fields.begin(), b.fields.end(),
                         isSameField);
}

bool isSame(const Reading &a, const Reading &b)
{
    const auto isSameRequest = [](const Request &x, const Request &y) {
        return isSame(x.head, y.head) && x.hasBody == y.hasBody && x.body == y.body;
    };
    return std::equal(a.requests.begin(), a.requests.end(), b.requests.begin(), b.requests.end(),
                      isSameRequest)
           && a.failure == b.failure && a.problem == b.problem && a.isIdle == b.isIdle;
}

/// Goes on as far as the reader can; false once it has failed.
bool drain(HttpRequestReader &reader, Reading &reading)
{
    while (true) {
        switch (reader.next()) {
        case Status::NeedMore:
            return true;
        case Status::HeadComplete:
            require(!reader.expectsContinue() || reader.hasBody(), "only a body is waited for");
            reader.acceptBody(kMaxBodyBytes);
            break;
        case Status::Complete:
            require(reader.body().size() <= kMaxBodyBytes, "a body is as long as accepted at most");
            require(reader.hasBody() || reader.body().isEmpty(), "a body is announced");
            reading.requests.append({reader.request(), reader.hasBody(), reader.body()});
            reader.finish();
            break;
        case Status::Failed:
            reading.failure = reader.failureStatus();
            reading.problem = reader.problem();
            return false;
        }
    }
}

/// Reads the input in parts as long as nextLength() says.
Reading read(QByteArrayView input, const std::function<qsizetype()> &nextLength)
{
    HttpRequestReader reader(kLimits);
    Reading reading;
    bool isGoingOn = true;
    while (isGoingOn && !input.isEmpty()) {
        const QByteArrayView part = input.first(std::min(nextLength(), input.size()));
        input = input.sliced(part.size());
        reader.append(part);
        isGoingOn = drain(reader, reading);
    }
    reading.isIdle = reader.isIdle();
    return reading;
}

void checkFailure(const Reading &reading)
{
    const int status = reading.failure;
    require(status == 0 || status == 400 || status == 413 || status == 431 || status == 501,
            "a failure has a status of its table");
    require((status == 0) == reading.problem.isEmpty(), "a failure has a sentence");
}

/// The head alone, given whole, says what the reader says.
void checkHead(QByteArrayView input, const Reading &reading)
{
    const HttpRequestParse parse = parseHttpRequest(input, kLimits);
    if (parse.status == HttpRequestParse::Status::Complete) {
        require(parse.headBytes <= kLimits.headBytes, "a head is as long as allowed at most");
        require(parse.request.fields.size() <= kLimits.fields, "no more fields than allowed");
        require(reading.requests.isEmpty() || isSame(parse.request, reading.requests[0].head),
                "the reader's first head is the parser's");
        HttpRequestReader reader(kLimits);
        reader.append(input);
        if (reader.next() == Status::HeadComplete) {
            require(reader.takeRest() == input.sliced(parse.headBytes),
                    "what an upgrade leaves is all behind the head");
        }
    } else if (parse.status != HttpRequestParse::Status::NeedMore && input.front() != '\r') {
        require(reading.requests.isEmpty() && reading.failure != 0,
                "what the parser refuses the reader refuses");
    }
}

} // namespace

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer calls it
extern "C" int LLVMFuzzerTestOneInput(const quint8 *data, std::size_t size)
{
    const QByteArrayView input(data, static_cast<qsizetype>(size));
    if (input.isEmpty()) {
        return 0;
    }
    const Reading whole = read(input, [&] { return input.size(); });
    checkFailure(whole);
    checkHead(input, whole);

    const Reading byBytes = read(input, [] { return qsizetype{1}; });
    require(isSame(whole, byBytes), "byte by byte is as at once");
    QRandomGenerator random(static_cast<quint32>(qHash(input, 0))); // the same in each run
    for (const quint32 longest : {4U, 32U}) {
        const Reading inParts = read(input, [&] { return qsizetype{1} + random.bounded(longest); });
        require(isSame(whole, inParts), "in parts is as at once");
    }
    return 0;
}
