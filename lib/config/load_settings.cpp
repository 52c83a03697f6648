#include "config/load_settings.h"

#include "config/config_file.h"
#include "config/environment.h"
#include "config/settings_draft.h"

#include <QFile>

#include <sys/stat.h>

#include <cerrno>

namespace relay {

namespace {

/// Whether nothing has this name. A link to nowhere is something, and so is a file in a folder that may not be searched:
/// whoever put it there did not want the defaults.
bool isMissing(const QString &path)
{
    struct stat status
    {};
    return ::lstat(QFile::encodeName(path).constData(), &status) != 0
           && (errno == ENOENT || errno == ENOTDIR);
}

} // namespace

LoadedSettings loadSettings(const std::optional<QString> &configFile,
                            const QProcessEnvironment &environment,
                            ConfigFile presence)
{
    SettingsDraft draft;
    const bool isFileMissing =
        configFile && presence == ConfigFile::IfItExists && isMissing(*configFile);
    if (configFile && !isFileMissing) {
        readConfigFile(*configFile, draft);
    }
    readEnvironment(environment, draft);
    draft.finish();
    return {draft.settings(), draft.problems(), draft.warnings(), isFileMissing};
}

} // namespace relay
