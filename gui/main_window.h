#pragma once

#include "gui/look/theme.h"
#include "gui/relay/relay_source.h"

#include <QLabel>
#include <QMainWindow>

#include <memory>

class QActionGroup;
class QMenu;
class QStackedWidget;

namespace relay::gui {

class HelpWindow;
class RelayView;
class StartPage;
struct Choice;

/// The size of a window that was never moved: room for all columns of the tables, and no more than the screen has.
/// `available`: the part of the screen that a window may cover, in the same units as `metrics`.
QSize firstWindowSize(const QSize &available, const QFontMetrics &metrics);

/// The dashboard's window: one relay, or the page to choose one.
///
/// Geometry, the last page and the theme are kept in QSettings.
/// Thread: the window's.
/// Owner: main().
class MainWindow : public QMainWindow
{
    Q_OBJECT

public:
    explicit MainWindow(QWidget *parent = nullptr);
    ~MainWindow() override;
    Q_DISABLE_COPY_MOVE(MainWindow)

    /// Watches this relay, instead of the current one.
    void watch(std::unique_ptr<RelaySource> source);
    /// Stops watching a relay.
    void showStart();
    /// nullptr while no relay is watched.
    [[nodiscard]] RelayView *view() const { return m_view; }
    void setTheme(Theme theme);

protected:
    void closeEvent(QCloseEvent *event) override;

private:
    void makeMenus();
    void makeRelayMenu();
    void makeViewMenu();
    void makeStatusBar();
    void showHelp();
    void showAbout();
    void choose(const Choice &choice);
    void showConfig();
    void askDrain();
    void showLink(const LinkState &link);
    void showOverview(const Overview &overview);

    RelayView *m_view = nullptr;
    QStackedWidget *m_stack;
    StartPage *m_start;
    HelpWindow *m_help = nullptr; ///< made when it is first wanted
    QMenu *m_relayMenu = nullptr;
    QMenu *m_pagesMenu = nullptr;
    QActionGroup *m_themes = nullptr;
    QLabel *m_linkLabel;
    QLabel *m_factsLabel;
};

} // namespace relay::gui
