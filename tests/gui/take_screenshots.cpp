#include "gui/main_window.h"
#include "gui/relay/remote_relay.h"
#include "gui/relay_view.h"
#include "scratch_settings.h"

#include <QApplication>
#include <QCommandLineParser>
#include <QDir>
#include <QSettings>
#include <QTableView>
#include <QTimer>

#include <algorithm>
#include <cstdio>
#include <memory>

using namespace relay::gui;

namespace {

struct Job
{
    QDir folder;
    QString suffix;
    QString channel; ///< the one whose messages are shown
};

/// The row that names the job's channel, or the third.
int rowToChoose(const QAbstractItemModel &model, const Job &job)
{
    for (int row = 0; row < model.rowCount(); ++row) {
        if (model.index(row, 0).data().toString() == job.channel) {
            return row;
        }
    }
    return std::min(2, model.rowCount() - 1);
}

/// Selects a row in each table with details, so that the details are shown.
void chooseRows(MainWindow &window, const Job &job)
{
    for (QTableView *table : window.findChildren<QTableView *>()) {
        const bool hasDetails = table->selectionMode() == QAbstractItemView::SingleSelection;
        const bool isChosen = table->currentIndex().isValid();
        if (hasDetails && table->isVisible() && !isChosen && table->model()->rowCount() > 0) {
            table->setCurrentIndex(table->model()->index(rowToChoose(*table->model(), job), 0));
        }
    }
}

/// Shows one page after another, each for a while, and ends the program after the last.
void takeNext(MainWindow &window, const Job &job, int page)
{
    if (page == window.view()->pageCount()) {
        QCoreApplication::quit();
        return;
    }
    window.view()->showPage(page);
    for (const int wait : {1200, 3000}) { // a channel's messages come after it was selected
        QTimer::singleShot(wait, &window, [&window, job] { chooseRows(window, job); });
    }
    QTimer::singleShot(4500, &window, [&window, job, page] {
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
    const ScratchSettings settings;
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
    option("channel", "cafe/orders");
    option("seconds", "5"); // to watch before the first
    parser.process(application);
    const auto value = [&](const char *name) { return parser.value(QString::fromLatin1(name)); };

    MainWindow window;
    window.setTheme(themeOf(value("theme")).value_or(Theme::Light));
    const QStringList size = value("size").split(QLatin1Char('x'));
    window.resize(size.value(0).toInt(), size.value(1).toInt());
    window.watch(std::make_unique<RemoteRelay>(Endpoint{QUrl(value("url")), {}}));
    window.show();
    const Job job{QDir(value("folder")), value("suffix"), value("channel")};
    QTimer::singleShot(value("seconds").toInt() * 1000, &window,
                       [&window, job] { takeNext(window, job, 0); });
    return QApplication::exec();
}
