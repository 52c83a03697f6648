#include "event_stream_reader.h"
#include "gui/relay/event_stream_parser.h"
#include "property.h"

#include <QByteArrayList>
#include <QRandomGenerator>

#include <functional>

using relay::require;
using relay::bench::EventStreamReader;
using relay::gui::EventStreamParser;

namespace {

using Parts = std::function<qsizetype()>;

QByteArray textOf(std::string_view text)
{
    return {text.data(), static_cast<qsizetype>(text.size())};
}

/// An event as a line: both readers give the same, as far as relay-bench's keeps the data.
QByteArray lineOf(const QByteArray &type, const QByteArray &data, qsizetype bytes)
{
    return type + '|' + data.first(std::min<qsizetype>(data.size(), EventStreamReader::kKeptBytes))
           + '|' + QByteArray::number(bytes);
}

QByteArrayList withParser(QByteArrayView input, const Parts &nextLength)
{
    EventStreamParser parser;
    QByteArrayList lines;
    while (!input.isEmpty()) {
        const QByteArray part = input.first(std::min(nextLength(), input.size())).toByteArray();
        input = input.sliced(part.size());
        for (const relay::gui::StreamEvent &event : parser.feed(part)) {
            lines.append(lineOf(event.type, event.data, event.data.size()));
        }
    }
    return lines;
}

QByteArrayList withReader(QByteArrayView input, const Parts &nextLength)
{
    EventStreamReader reader;
    QByteArrayList lines;
    while (!input.isEmpty()) {
        const QByteArray part = input.first(std::min(nextLength(), input.size())).toByteArray();
        input = input.sliced(part.size());
        std::span<const char> rest(part.constData(), static_cast<std::size_t>(part.size()));
        for (auto event = reader.next(rest); event != EventStreamReader::Event::NeedMore;
             event = reader.next(rest))
        {
            if (event == EventStreamReader::Event::Message) {
                const QByteArray type = textOf(reader.type());
                lines.append(lineOf(type.isEmpty() ? QByteArray("message") : type,
                                    textOf(reader.data()),
                                    static_cast<qsizetype>(reader.dataBytes())));
            }
        }
    }
    return lines;
}

} // namespace

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer calls it
extern "C" int LLVMFuzzerTestOneInput(const quint8 *data, std::size_t size)
{
    const QByteArrayView input(data, static_cast<qsizetype>(size));
    if (input.isEmpty()) {
        return 0;
    }
    const Parts whole = [&] { return input.size(); };
    const Parts bytes = [] { return qsizetype{1}; };
    QRandomGenerator random(static_cast<quint32>(qHash(input, 0))); // the same in each run
    const Parts parts = [&] { return qsizetype{1} + random.bounded(16); };

    const QByteArrayList events = withParser(input, whole);
    require(withParser(input, bytes) == events && withParser(input, parts) == events,
            "the dashboard's: any split gives the same");
    const QByteArrayList measured = withReader(input, whole);
    require(withReader(input, bytes) == measured && withReader(input, parts) == measured,
            "relay-bench's: any split gives the same");
    require(events == measured, "the dashboard and relay-bench read the same events");
    return 0;
}
