#include "gui/main_window.h"

#include "base/version.h"

#include "gui/choice.h"
#include "gui/look/card.h"
#include "gui/look/dialogs.h"
#include "gui/look/foreign_text.h"
#include "gui/look/icons.h"
#include "gui/look/quantity_text.h"
#include "gui/pages/start_page.h"
#include "gui/relay_view.h"

#include <QActionGroup>
#include <QApplication>
#include <QCloseEvent>
#include <QDialog>
#include <QDialogButtonBox>
#include <QFontDatabase>
#include <QInputDialog>
#include <QMenuBar>
#include <QMessageBox>
#include <QPlainTextEdit>
#include <QSettings>
#include <QStackedWidget>
#include <QStatusBar>
#include <QVBoxLayout>

#include <array>
#include <utility>

namespace relay::gui {

namespace {

constexpr int kMostPages = 9; // Ctrl+1 to Ctrl+9
constexpr int kMaxDrainSeconds = 3600;
constexpr int kDrainSeconds = 30;
constexpr int kMostOfVersion = 40; // characters

const QString kGeometryKey = QStringLiteral("window/geometry");
const QString kPageKey = QStringLiteral("window/page");
const QString kThemeKey = QStringLiteral("window/theme");

} // namespace

MainWindow::MainWindow(QWidget *parent)
    : QMainWindow(parent)
    , m_stack(new QStackedWidget)
    , m_start(new StartPage)
    , m_linkLabel(makeLabel({}))
    , m_clientsLabel(makeLabel({}))
    , m_versionLabel(makeLabel({}))
{
    setWindowIcon(programIcon());
    setCentralWidget(m_stack);
    m_stack->addWidget(m_start);
    connect(m_start, &StartPage::chosen, this, &MainWindow::choose);
    makeMenus();
    makeStatusBar();
    const QSettings settings;
    if (!restoreGeometry(settings.value(kGeometryKey).toByteArray())) {
        const QFontMetrics metrics = fontMetrics();
        resize(metrics.averageCharWidth() * 160, metrics.height() * 46);
    }
    setTheme(themeOf(settings.value(kThemeKey).toString()).value_or(Theme::System));
    showStart();
}

MainWindow::~MainWindow() = default;

void MainWindow::watch(std::unique_ptr<RelaySource> source)
{
    showStart();
    RelaySource &shown = *source;
    setWindowTitle(tr("%1 — Relay").arg(shown.title()));
    connect(&shown, &RelaySource::linkChanged, this, &MainWindow::showLink);
    connect(&shown, &RelaySource::overviewChanged, this, &MainWindow::showOverview);
    m_view = new RelayView(std::move(source));
    m_stack->addWidget(m_view);
    m_stack->setCurrentWidget(m_view);
    for (int page = 0; page < std::min(m_view->pageCount(), kMostPages); ++page) {
        QAction *action = m_pagesMenu->addAction(m_view->pageTitle(page));
        action->setShortcut(QKeySequence(QStringLiteral("Ctrl+%1").arg(page + 1)));
        connect(action, &QAction::triggered, m_view, [this, page] { m_view->showPage(page); });
    }
    m_view->showPage(QSettings().value(kPageKey, 0).toInt());
    m_relayMenu->setEnabled(true);
    showLink(shown.link());
}

void MainWindow::choose(const Choice &choice)
{
    auto source = makeSource(choice);
    m_start->setProblem(source ? QString() : source.error().message);
    if (source) {
        m_start->remember(choice);
        watch(std::move(source).value());
    }
}

void MainWindow::showStart()
{
    m_pagesMenu->clear();
    m_relayMenu->setEnabled(false);
    delete std::exchange(m_view, nullptr);
    setWindowTitle(tr("Relay"));
    for (QLabel *label : {m_linkLabel, m_clientsLabel, m_versionLabel}) {
        label->clear();
    }
}

void MainWindow::setTheme(Theme theme)
{
    applyTheme(*qApp, theme);
    QSettings().setValue(kThemeKey, themeName(theme));
    for (QAction *action : m_themes->actions()) {
        action->setChecked(action->data().toString() == themeName(theme));
    }
}

void MainWindow::closeEvent(QCloseEvent *event)
{
    QSettings settings;
    settings.setValue(kGeometryKey, saveGeometry());
    if (m_view != nullptr) {
        settings.setValue(kPageKey, m_view->currentPage());
    }
    event->accept();
}

// Menus

void MainWindow::makeMenus()
{
    makeRelayMenu();
    makeViewMenu();
    QMenu *help = menuBar()->addMenu(tr("&Help"));
    help->addAction(tr("&About Relay"), this, &MainWindow::showAbout);
    help->addAction(tr("About &Qt"), qApp, &QApplication::aboutQt);
}

void MainWindow::makeRelayMenu()
{
    QMenu *file = menuBar()->addMenu(tr("&File"));
    QAction *other = file->addAction(tr("&Other relay …"), this, &MainWindow::showStart);
    other->setShortcut(QKeySequence::Open);
    file->addSeparator();
    QAction *quit = file->addAction(tr("&Quit"), this, &QWidget::close);
    quit->setShortcut(QKeySequence::Quit);

    m_relayMenu = menuBar()->addMenu(tr("&Relay"));
    m_relayMenu->addAction(tr("&Settings in force …"), this, &MainWindow::showConfig);
    QAction *retry = m_relayMenu->addAction(tr("&Reconnect now"), this, [this] {
        if (m_view != nullptr) {
            m_view->source().retryNow();
        }
    });
    retry->setShortcuts(QKeySequence::Refresh); // on some desktops F5 is its second
    m_relayMenu->addSeparator();
    m_relayMenu->addAction(tr("&Drain …"), this, &MainWindow::askDrain);
}

void MainWindow::makeViewMenu()
{
    QMenu *viewMenu = menuBar()->addMenu(tr("&View"));
    m_pagesMenu = viewMenu->addMenu(tr("&Page"));
    QMenu *themes = viewMenu->addMenu(tr("&Colours"));
    m_themes = new QActionGroup(this);
    const std::array choices{std::pair{Theme::System, tr("As the &desktop")},
                             std::pair{Theme::Light, tr("&Light")},
                             std::pair{Theme::Dark, tr("D&ark")}};
    for (const auto &[theme, text] : choices) {
        QAction *action = themes->addAction(text);
        action->setCheckable(true);
        action->setData(themeName(theme));
        m_themes->addAction(action);
        connect(action, &QAction::triggered, this, [this, wanted = theme] { setTheme(wanted); });
    }
}

void MainWindow::makeStatusBar()
{
    statusBar()->addWidget(m_linkLabel, 1);
    statusBar()->addPermanentWidget(m_clientsLabel);
    statusBar()->addPermanentWidget(m_versionLabel);
}

void MainWindow::showAbout()
{
    QMessageBox::about(this, tr("About Relay"),
                       tr("<h3>Relay %1</h3><p>Shows and steers a WebSocket broadcast relay: what "
                          "one client sends to a URL, every other client there receives.</p>"
                          "<p>Built on Qt %2.</p>")
                           .arg(QString::fromLatin1(kVersion), QString::fromLatin1(qVersion())));
}

void MainWindow::showConfig()
{
    m_view->source().fetchOverview(this, [this](const Result<Overview> &overview) {
        if (!overview) {
            complain(this, tr("Settings in force"), overview.error().message);
            return;
        }
        auto *dialog = new QDialog(this);
        dialog->setAttribute(Qt::WA_DeleteOnClose);
        dialog->setWindowTitle(tr("Settings in force"));
        auto *text = new QPlainTextEdit(
            overview.value().config.value_or(tr("The relay does not tell them.")));
        text->setReadOnly(true);
        text->setFont(QFontDatabase::systemFont(QFontDatabase::FixedFont));
        auto *buttons = new QDialogButtonBox(QDialogButtonBox::Close);
        connect(buttons, &QDialogButtonBox::rejected, dialog, &QDialog::reject);
        auto *column = new QVBoxLayout(dialog);
        column->addWidget(text);
        column->addWidget(buttons);
        dialog->resize(size() * 0.7);
        dialog->show();
    });
}

void MainWindow::askDrain()
{
    bool isAgreed = false;
    const int seconds = QInputDialog::getInt(
        this, tr("Drain"),
        tr("The relay takes no new clients, and sends away those that are there,\n"
           "spread over so many seconds. This cannot be taken back."),
        kDrainSeconds, 0, kMaxDrainSeconds, 1, &isAgreed);
    if (!isAgreed || m_view == nullptr) {
        return;
    }
    m_view->source().drain(seconds, this, [this](const Outcome &outcome) {
        if (!outcome) {
            complain(this, tr("Drain"), outcome.error().message);
        }
    });
}

// Status bar

void MainWindow::showLink(const LinkState &link)
{
    if (m_view == nullptr) {
        return;
    }
    const QString title = m_view->source().title();
    switch (link.link) {
    case LinkState::Link::Connecting:
        m_linkLabel->setText(tr("Connecting to %1 …").arg(title));
        break;
    case LinkState::Link::Live:
        m_linkLabel->setText(tr("Connected to %1").arg(title));
        break;
    case LinkState::Link::Gone:
        m_linkLabel->setText(tr("%1 is gone: %2").arg(title, link.problem));
        m_clientsLabel->clear();
        m_versionLabel->clear();
        break;
    }
}

void MainWindow::showOverview(const Overview &overview)
{
    m_clientsLabel->setText(tr("Clients: %1").arg(countText(overview.clients)));
    m_versionLabel->setText(tr("relayd %1, up %2")
                                .arg(visibleWord(overview.version.left(kMostOfVersion)),
                                     durationText(overview.uptimeSeconds)));
}

} // namespace relay::gui
