#include "gui/main_window.h"
#include "gui/relay_view.h"
#include "gui/remote_relay.h"

#include <QApplication>
#include <QCommandLineParser>
#include <QDir>
#include <QSettings>
#include <QTableView>
#include <QTemporaryDir>
#include <QTimer>

#include <cstdio>
#include <memory>

using namespace relay::gui;

namespace {

struct Job
{
    QDir folder;
    QString suffix;
};

/// The page's first table has a row chosen, so that the details are shown.
void chooseARow(MainWindow &window)
{
    for (QTableView *table : window.findChildren<QTableView *>()) {
        const bool hasDetails = table->selectionMode() == QAbstractItemView::SingleSelection;
        if (hasDetails && table->isVisible() && table->model()->rowCount() > 2) {
            table->setCurrentIndex(table->model()->index(2, 0));
            return;
        }
    }
}

/// Shows one page after another, each for a while, and ends the program after the last one.
void takeNext(MainWindow &window, const Job &job, int page)
{
    if (page == window.view()->pageCount()) {
        QCoreApplication::quit();
        return;
    }
    window.view()->showPage(page);
    QTimer::singleShot(1200, &window, [&window] { chooseARow(window); });
    QTimer::singleShot(3500, &window, [&window, job, page] {
        const QString name = window.view()->pageTitle(page).toLower();
        const QString file = job.folder.filePath(QStringLiteral("%1-%2.png").arg(name, job.suffix));
        if (!window.grab().save(file)) {
            std::fprintf(stderr, "cannot write %s\n", qPrintable(file));
            QCoreApplication::exit(1);
            return;
        }
        takeNext(window, job, page + 1);
    });
}

} // namespace

/// Grabs each page of the dashboard into a PNG; scripts/screenshots runs it.
int main(int argc, char **argv)
{
    QApplication application(argc, argv);
    const QTemporaryDir settings;
    QSettings::setDefaultFormat(QSettings::IniFormat);
    QSettings::setPath(QSettings::IniFormat, QSettings::UserScope, settings.path());
    QCommandLineParser parser;
    const auto option = [&](const char *name, const char *value) {
        const QCommandLineOption one(QString::fromLatin1(name), {}, QStringLiteral("value"),
                                     QString::fromLatin1(value));
        parser.addOption(one);
    };
    option("url", "http://127.0.0.1:9464");
    option("folder", ".");
    option("theme", "light");
    option("suffix", "light");
    option("size", "1280x800");
    option("seconds", "5"); // to watch before the first
    parser.process(application);
    const auto value = [&](const char *name) { return parser.value(QString::fromLatin1(name)); };

    MainWindow window;
    window.setTheme(themeOf(value("theme")).value_or(Theme::Light));
    const QStringList size = value("size").split(QLatin1Char('x'));
    window.resize(size.value(0).toInt(), size.value(1).toInt());
    window.watch(std::make_unique<RemoteRelay>(Endpoint{QUrl(value("url")), {}}));
    window.show();
    const Job job{QDir(value("folder")), value("suffix")};
    QTimer::singleShot(value("seconds").toInt() * 1000, &window,
                       [&window, job] { takeNext(window, job, 0); });
    return QApplication::exec();
}
