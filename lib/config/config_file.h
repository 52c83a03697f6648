#pragma once

#include "config/settings_draft.h"

#include <QByteArray>
#include <QString>

namespace relay {

/// A longer file is refused: no configuration is that long (kMaxChannelRules rules, all their keys
/// written out, take less), but a log or a core dump given by mistake is.
inline constexpr qint64 kMaxConfigFileSize = 4 * 1024LL * 1024;

/// A longer list of channels' rules is refused: each channel that is made looks through them.
inline constexpr qsizetype kMaxChannelRules = 10'000;

/// Reads a YAML file into the draft. An empty file, or a section without keys, leaves the defaults.
///
/// Errors: to the draft, as `path:line: key: what`, all that there are. A file that is not YAML has
/// one problem, since nothing after it can be trusted.
void readConfigFile(const QString &path, SettingsDraft &draft);

/// As readConfigFile(), for text that is already in memory; `name` stands for the path in messages.
void readConfigText(const QByteArray &text, const QString &name, SettingsDraft &draft);

} // namespace relay
