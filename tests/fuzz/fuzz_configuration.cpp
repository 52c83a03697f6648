#include "config/config_file.h"
#include "config/config_text.h"

#include "property.h"

#include <QString>

using namespace relay;

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer calls it
extern "C" int LLVMFuzzerTestOneInput(const quint8 *data, std::size_t size)
{
    const QByteArray text(reinterpret_cast<const char *>(data), static_cast<qsizetype>(size));
    SettingsDraft draft;
    readConfigText(text, QStringLiteral("relay.yaml"), draft);
    draft.finish();
    for (const QString &problem : draft.problems()) {
        require(!problem.trimmed().isEmpty() && !problem.contains(QLatin1Char('\n')),
                "a problem is one line");
    }
    if (!draft.problems().isEmpty()) {
        return 0;
    }
    // What --print-config prints of good settings is a good configuration, and means the same.
    const QString printed = renderConfig(draft.settings());
    SettingsDraft again;
    readConfigText(printed.toUtf8(), QStringLiteral("printed"), again);
    again.finish();
    require(again.problems().isEmpty(), "printed settings are read without a problem");
    require(renderConfig(again.settings()) == printed, "printed settings are the settings");
    return 0;
}
