#pragma once

#include <QLabel>
#include <QWidget>

namespace relay::gui {

/// A sheet with round corners on which something stands together.
class Card : public QWidget
{
    Q_OBJECT

public:
    explicit Card(QWidget *parent = nullptr);

protected:
    void paintEvent(QPaintEvent *event) override;
};

/// A label whose font is so many times the usual one's size. Its text is plain: nothing in it is taken for markup.
QLabel *makeLabel(const QString &text, double size = 1, bool isBold = false);
/// A label that stays back.
QLabel *makeQuietLabel(const QString &text, double size = 1);
/// A card's heading.
QLabel *makeHeading(const QString &text);

} // namespace relay::gui
