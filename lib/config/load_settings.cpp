#include "config/load_settings.h"

#include "config/config_file.h"
#include "config/environment.h"
#include "config/settings_draft.h"

namespace relay {

LoadedSettings loadSettings(const std::optional<QString> &configFile,
                            const QProcessEnvironment &environment)
{
    SettingsDraft draft;
    if (configFile) {
        readConfigFile(*configFile, draft);
    }
    readEnvironment(environment, draft);
    draft.finish();
    return {draft.settings(), draft.problems(), draft.warnings()};
}

} // namespace relay
