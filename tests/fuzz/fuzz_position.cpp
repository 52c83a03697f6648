#include "base/position.h"

#include "property.h"

#include <cstring>

using namespace relay;

namespace {

/// A position has one text, and a text at most one position.
void checkText(QByteArrayView text)
{
    const std::optional<Position> position = Position::fromText(text);
    if (position) {
        require(position->toText() == text, "an accepted text is what toText() writes");
        require(position->offset >> 53 == 0, "an offset fits into a JSON number");
        require(static_cast<quint64>(position->epoch) >> 48 == 0, "an epoch has 48 bits");
    }
}

void checkPosition(const Position &position)
{
    const QByteArray text = position.toText();
    const std::optional<Position> back = Position::fromText(text);
    require(back && *back == position, "what toText() writes is read back");
    require(!Position::fromText(QByteArray(text).append('0')) || position.offset != 0,
            "no digit may follow the offset 0");
    require(!Position::fromText(text.first(text.size() - 1)) || position.offset >= 10,
            "no digit may be missing");
}

} // namespace

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer calls it
extern "C" int LLVMFuzzerTestOneInput(const quint8 *data, std::size_t size)
{
    checkText({data, static_cast<qsizetype>(size)});
    quint64 numbers[2]{};
    if (size >= sizeof numbers) {
        std::memcpy(numbers, data, sizeof numbers);
        checkPosition({Epoch{numbers[0] >> 16}, numbers[1] >> 11});
    }
    return 0;
}
