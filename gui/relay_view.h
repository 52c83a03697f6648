#pragma once

#include "gui/relay/relay_source.h"

#include <QListWidget>
#include <QStackedWidget>
#include <QWidget>

#include <memory>

namespace relay::gui {

/// One relay: the pages, and the list to choose one.
///
/// Owner: MainWindow. It owns the source and starts it.
class RelayView : public QWidget
{
    Q_OBJECT

public:
    explicit RelayView(std::unique_ptr<RelaySource> source, QWidget *parent = nullptr);
    ~RelayView() override;
    Q_DISABLE_COPY_MOVE(RelayView)

    [[nodiscard]] RelaySource &source() { return *m_source; }
    [[nodiscard]] int pageCount() const { return m_pages->count(); }
    [[nodiscard]] int currentPage() const { return m_pages->currentIndex(); }
    [[nodiscard]] QString pageTitle(int page) const;
    /// A number that is out of range shows the nearest page.
    void showPage(int page);

private:
    void addPage(const QString &iconName, const QString &title, QWidget *page);

    const std::unique_ptr<RelaySource> m_source; // outlives the pages, which ~RelayView deletes
    QListWidget *m_list;
    QStackedWidget *m_pages;
};

} // namespace relay::gui
