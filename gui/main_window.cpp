#include "gui/main_window.h"

#include "base/version.h"

#include "gui/choice.h"
#include "gui/look/card.h"
#include "gui/look/dialogs.h"
#include "gui/look/foreign_text.h"
#include "gui/look/icons.h"
#include "gui/look/quantity_text.h"
#include "gui/pages/help_window.h"
#include "gui/pages/settings_dialog.h"
#include "gui/pages/start_page.h"
#include "gui/relay_view.h"

#include <QActionGroup>
#include <QApplication>
#include <QCloseEvent>
#include <QMenuBar>
#include <QMessageBox>
#include <QPointer>
#include <QScreen>
#include <QSettings>
#include <QStackedWidget>
#include <QStatusBar>

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

/// For the window's frame, which Qt does not know before the window is shown.
constexpr double kPartOfScreen = 0.94;

} // namespace

QSize firstWindowSize(const QSize &available, const QFontMetrics &metrics)
{
    return QSize(metrics.averageCharWidth() * 190, metrics.height() * 50)
        .boundedTo(available * kPartOfScreen);
}

MainWindow::MainWindow(QWidget *parent)
    : QMainWindow(parent)
    , m_stack(new QStackedWidget)
    , m_start(new StartPage)
    , m_linkLabel(makeLabel({}))
    , m_factsLabel(makeQuietLabel({}))
{
    setWindowIcon(programIcon());
    setCentralWidget(m_stack);
    m_stack->addWidget(m_start);
    connect(m_start, &StartPage::chosen, this, &MainWindow::choose);
    makeMenus();
    makeStatusBar();
    const QSettings settings;
    if (!restoreGeometry(settings.value(kGeometryKey).toByteArray())) {
        resize(firstWindowSize(screen()->availableSize(), fontMetrics()));
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
    m_linkLabel->clear();
    m_factsLabel->clear();
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
    QAction *documentation = help->addAction(tr("&Documentation"), this, &MainWindow::showHelp);
    documentation->setShortcut(QKeySequence::HelpContents);
    help->addSeparator();
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
    QAction *config =
        m_relayMenu->addAction(tr("&Settings in force …"), this, &MainWindow::showConfig);
    config->setShortcut(QKeySequence(Qt::CTRL | Qt::Key_I));
    QAction *retry = m_relayMenu->addAction(tr("&Reconnect now"), this, [this] {
        if (m_view != nullptr) {
            m_view->source().retryNow();
        }
    });
    retry->setShortcuts(QKeySequence::Refresh); // on some desktops F5 is the second of them
    m_relayMenu->addSeparator();
    QAction *drain = m_relayMenu->addAction(tr("&Drain …"), this, &MainWindow::askDrain);
    drain->setShortcut(QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_D)); // it asks first
}

void MainWindow::makeViewMenu()
{
    QMenu *viewMenu = menuBar()->addMenu(tr("&View"));
    m_pagesMenu = viewMenu->addMenu(tr("&Page"));
    QMenu *themes = viewMenu->addMenu(tr("&Theme"));
    m_themes = new QActionGroup(this);
    const std::array choices{std::pair{Theme::System, tr("Same as the &desktop")},
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
    const int margin = fontMetrics().averageCharWidth();
    statusBar()->setContentsMargins(margin, 0, margin, 0);
    statusBar()->addWidget(m_linkLabel, 1);
    statusBar()->addPermanentWidget(m_factsLabel);
}

void MainWindow::showHelp()
{
    if (m_help == nullptr) {
        m_help = new HelpWindow(this);
    }
    m_help->show();
    m_help->raise();
    m_help->activateWindow();
}

void MainWindow::showAbout()
{
    QMessageBox::about(
        this, tr("About Relay"),
        tr("<h3>Relay %1</h3><p>This window watches and controls a Relay server: its clients, "
           "channels, messages and events.</p>"
           "<p>In Relay every URL is a channel. Everyone connected to it, by WebSocket or "
           "EventSource, receives every message sent to it.</p>"
           "<p>Licence: MIT. Built with Qt %2.</p>")
            .arg(QString::fromLatin1(kVersion), QString::fromLatin1(qVersion())));
}

void MainWindow::showConfig()
{
    m_view->source().fetchOverview(this, [this](const Result<Overview> &overview) {
        if (!overview) {
            complain(this, tr("Settings in force"), overview.error().message);
            return;
        }
        if (!overview.value().config) {
            complain(this, tr("Settings in force"), tr("The relay does not report its settings."));
            return;
        }
        auto *dialog = new SettingsDialog(*overview.value().config, this);
        dialog->setAttribute(Qt::WA_DeleteOnClose);
        dialog->resize(size() * 0.85);
        dialog->open();
    });
}

void MainWindow::askDrain()
{
    const Question question{tr("Drain"), tr("Drain the relay?"),
                            tr("The relay stops accepting clients, and disconnects all that are "
                               "connected, evenly over this time. This "
                               "cannot be undone."),
                            tr("Drain")};
    const NumberField seconds{tr("Disconnect all within"), tr("seconds"), kDrainSeconds, 0,
                              kMaxDrainSeconds};
    askNumber(this, question, seconds, [this, view = QPointer(m_view)](int within) {
        if (view.isNull()) {
            return; // another relay is watched
        }
        view->source().drain(within, this, [this](const Outcome &outcome) {
            if (!outcome) {
                complain(this, tr("Drain"), outcome.error().message);
            }
        });
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
        m_factsLabel->clear();
        break;
    }
}

void MainWindow::showOverview(const Overview &overview)
{
    m_factsLabel->setText(tr("%1  ·  Relay %2  ·  up %3")
                              .arg(countedText(overview.clients, tr("client"), tr("clients")),
                                   visibleWord(overview.version.left(kMostOfVersion)),
                                   durationText(overview.uptimeSeconds)));
}

} // namespace relay::gui
